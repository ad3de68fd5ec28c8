"""Settings from the environment, and the server's key."""

from pathlib import Path

import msgspec
import pytest

from api.secrets import key_file, server_key
from api.settings import SETTINGS, Rate, Settings, read_settings
from engine.errors import SettingsError, StoreError

WRONG = [
    ("BATON_DATABASE_URL", "mysql://x"),
    ("BATON_DATABASE_URL", "sqlite:///"),
    ("BATON_DATABASE_URL", "sqlite:///:memory:"),
    ("BATON_DATABASE_URL", "sqlite:///baton.db?mode=ro"),
    ("BATON_SECRET_KEY", "short"),
    ("BATON_PORT", "eighty"),
    ("BATON_PORT", "65536"),
    ("BATON_WORKERS", "0"),
    ("BATON_LOG_LEVEL", "loud"),
    ("BATON_LOG_FORMAT", "xml"),
    ("BATON_TRUSTED_PROXIES", "10.0.0.0/99"),
    ("BATON_ALLOWED_HOSTS_OUTBOUND", "http://x/y"),
    ("BATON_ALLOWED_HOSTS_OUTBOUND", "erp:0"),
    ("BATON_ALLOWED_HOSTS_OUTBOUND", "127.1"),
    ("BATON_OTEL_ENDPOINT", "collector"),
    ("BATON_SYNCHRONOUS", "off"),
    ("BATON_SESSION_SECONDS", "0"),
    ("BATON_SESSION_RENEW_SECONDS", "-1"),
    ("BATON_PUBLIC_URL", "example.com"),
    ("BATON_RATE_LIMIT_SESSIONS", "60"),
    ("BATON_RATE_LIMIT_MESSAGES", "0/m"),
    ("BATON_RATE_LIMIT_MESSAGES", "10/d"),
]


def test_nothing_set_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()
    assert read_settings({"BATON_PORT": "  "}) == Settings()


def test_the_table_names_every_setting_and_its_default() -> None:
    assert [setting.field for setting in SETTINGS] == list(Settings.__struct_fields__)
    assert read_settings({setting.name: setting.default for setting in SETTINGS}) == Settings()
    assert all(setting.meaning for setting in SETTINGS)


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc] # that is the point


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_told_in_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({name: value})
    assert str(refusal.value).startswith(name)
    assert "\n" not in str(refusal.value)


def test_a_wrong_key_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({"BATON_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(refusal.value)


def test_rates_are_counts_in_time_or_off() -> None:
    settings = read_settings({"BATON_RATE_LIMIT_SESSIONS": "5/s", "BATON_RATE_LIMIT_MESSAGES": "off"})
    assert settings.rate_limit_sessions == Rate(5, 1)
    assert settings.rate_limit_messages is None


def test_lists_have_commas() -> None:
    settings = read_settings({"BATON_TRUSTED_PROXIES": "10.0.0.0/8, ::1", "BATON_ALLOWED_HOSTS_OUTBOUND": "erp:8080, [::1]:80"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.allowed_hosts_outbound == ("erp:8080", "[::1]:80")


def test_without_dev_the_key_must_be_set() -> None:
    with pytest.raises(SettingsError, match="BATON_SECRET_KEY"):
        server_key(Settings(), dev=False)
    assert server_key(read_settings({"BATON_SECRET_KEY": "k" * 32}), dev=False) == b"k" * 32


def test_in_dev_a_key_is_made_once_beside_the_database_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "in a folder").mkdir()
    settings = Settings(database_url=f"sqlite:///{tmp_path}/in%20a%20folder/shop.db")
    key = server_key(settings, dev=True)
    assert len(key) >= 32
    assert server_key(settings, dev=True) == key
    path = key_file(settings)
    assert path == tmp_path / "in a folder" / "shop.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["shop.key"]


def test_where_no_key_can_be_made_no_folder_is_made_for_it(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/mistyped/shop.db")
    with pytest.raises(StoreError, match=r"mistyped/shop\.key cannot be made beside the database: No such file or directory\."):
        server_key(settings, dev=True)
    assert [*tmp_path.iterdir()] == []


def test_a_key_file_that_holds_no_key_stops_the_start(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/shop.db")
    key_file(settings).write_text("short\n")
    with pytest.raises(SettingsError, match=r"shop\.key"):
        server_key(settings, dev=True)


def test_each_setting_reads_what_its_field_holds() -> None:
    given = {"BATON_PORT": "0", "BATON_HOST": "::", "BATON_PUBLIC_URL": "https://chat.example/", "BATON_SYNCHRONOUS": "normal"}
    assert msgspec.structs.asdict(read_settings(given)) | {"trusted_proxies": ()} == msgspec.structs.asdict(Settings()) | {
        "port": 0,
        "host": "::",
        "public_url": "https://chat.example",
        "synchronous": "normal",
    }
