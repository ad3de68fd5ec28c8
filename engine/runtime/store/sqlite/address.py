"""Which file a database URL names. It stands by itself: whoever reads the settings need not load a database for it."""

from pathlib import Path
from urllib.parse import unquote

from engine.errors import StoreError


def sqlite_path(url: str) -> Path:
    """The file that a URL names: `sqlite:///relative.db` or `sqlite:////absolute.db`; StoreError for any other."""
    if url.startswith(("postgresql:", "postgres:", "postgresql+")):
        raise StoreError("PostgreSQL comes in a later version: use a sqlite:/// URL.")
    place = url.removeprefix("sqlite:///")
    if place == url or not place or "?" in place or place == ":memory:":
        raise StoreError("A database URL is sqlite:///relative.db or sqlite:////absolute.db.")
    return Path(unquote(place))
