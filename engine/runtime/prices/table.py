"""Reads price tables: US dollars per million tokens as decimal text, exact as written, with a line for every problem.

CSV has a header line; YAML is a list of mappings. Both have the columns `model`, `input`, `output`, and may have `cached_input`,
`effective_from`, and `source` and `note`, which are for readers and not kept.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct

from engine.errors import BatonError
from engine.loading import Source, Tree, read_yaml
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.values import Millis
from engine.runtime.moments import LATEST

COLUMNS: Final = ("model", "input", "output", "cached_input", "effective_from", "source", "note")
REQUIRED: Final = ("model", "input", "output")
_MODEL: Final = re.compile(r"[\w.:/@-]{1,100}")
_AMOUNT: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,9})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_PRICE: Final = "dollars per million tokens from 0 to 1000000, at most 9 decimals"
_MOST: Final = Decimal(10) ** 6
BEGINNING: Final[Millis] = 0
"""What `effective_from` is where a table leaves it out: the price has held from the beginning."""


class Listed(Struct, frozen=True):
    """One price of a table."""

    model: str
    input: str
    output: str
    cached_input: str | None
    effective_from: Millis


class Flaw(Struct, frozen=True):
    """One thing wrong with a table; lines count from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class TableRefused(BatonError):
    """A price table has problems; `flaws` holds them all, and nothing of the table is taken."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__("\n".join(map(str, flaws)))
        self.flaws = flaws


class _Line(Struct, frozen=True):
    """What one row of the file says, as text; an empty text is none."""

    number: int
    cells: Mapping[str, str]


def read_table(source: Source) -> list[Listed]:
    """The prices of a CSV file, or of a YAML file where the name says so; raises TableRefused with every problem."""
    flaws: list[Flaw] = []
    lines = _yaml_lines if source.name.lower().endswith((".yaml", ".yml")) else _csv_lines
    first: dict[tuple[str, Millis], int] = {}
    listed: list[Listed] = []
    for line in lines(source, flaws):
        price = listed_price(line.cells)
        if isinstance(price, list):
            flaws.extend(Flaw(source.name, line.number, message) for message in price)
            continue
        earlier = first.setdefault((price.model, price.effective_from), line.number)
        if earlier != line.number:
            flaws.append(Flaw(source.name, line.number, f"line {earlier} has a price of {price.model} from the same moment on"))
        listed.append(price)
    if not listed and not flaws:
        flaws.append(Flaw(source.name, 1, "the table has no prices"))
    if flaws:
        raise TableRefused(sorted(flaws, key=lambda flaw: flaw.line))
    return listed


def listed_price(cells: Mapping[str, str], otherwise: Millis = BEGINNING) -> Listed | list[str]:
    """The price that the cells make, with `otherwise` for an absent moment, or everything that is wrong with them."""
    wrong = [f"{name} is missing" for name in REQUIRED if not cells.get(name)]
    model, cached = cells.get("model", ""), cells.get("cached_input") or None
    if model and not _MODEL.fullmatch(model):
        wrong.append(f"{model!r:.120} is no model's name: letters, digits and . : / @ _ - are, at most 100")
    amounts = [(name, cells[name]) for name in ("input", "output", "cached_input") if cells.get(name)]
    wrong.extend(f"{name} {text!r:.60} is no price: {_PRICE}" for name, text in amounts if not is_amount(text))
    moment = _moment(cells["effective_from"]) if cells.get("effective_from") else otherwise
    if moment is None:
        wrong.append(f"effective_from {cells['effective_from']!r:.60} is no moment: 2026-01-31, or 2026-01-31T09:00:00Z")
    if wrong or moment is None:
        return wrong
    return Listed(model, cells["input"], cells["output"], cached, moment)


def is_amount(text: str) -> bool:
    """Whether the text is a price: a plain decimal from 0 to a million, with at most 9 decimals."""
    return _AMOUNT.fullmatch(text) is not None and Decimal(text) <= _MOST


def _moment(text: str) -> Millis | None:
    written = f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text
    if not _MOMENT.fullmatch(written):
        return None
    try:
        millis = round(datetime.fromisoformat(written.upper()).timestamp() * 1000)
    except ValueError:
        return None
    return millis if BEGINNING <= millis <= LATEST else None


def _csv_lines(source: Source, flaws: list[Flaw]) -> Iterator[_Line]:
    try:
        text = source.text if isinstance(source.text, str) else source.text.decode("utf-8-sig")
    except UnicodeDecodeError:
        flaws.append(Flaw(source.name, 1, "the file is not UTF-8 text"))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        wrong = _wrong_header(header)
        flaws.extend(Flaw(source.name, 1, message) for message in wrong)
        last = reader.line_num
        for cells in reader if not wrong else ():
            number, last = last + 1, reader.line_num
            if len(cells) > len(header):
                flaws.append(Flaw(source.name, number, f"there are {len(cells)} cells under {len(header)} columns"))
            elif any(cell.strip() for cell in cells):
                yield _Line(number, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
    except csv.Error as error:
        flaws.append(Flaw(source.name, max(reader.line_num, 1), f"the line is not CSV: {error}"))


def _wrong_header(header: list[str]) -> list[str]:
    missing = [f"the column {name} is missing" for name in REQUIRED if name not in header]
    twice = ["a column stands twice"] if len(set(header)) < len(header) else []
    return [*_unknown(header), *missing, *twice]


def _yaml_lines(source: Source, flaws: list[Flaw]) -> Iterator[_Line]:
    tree = read_yaml(source)
    flaws.extend(Flaw(source.name, problem.line, problem.message) for problem in tree.diagnostics)
    if tree.root is None or flaws:
        return
    if not isinstance(tree.root, Items):
        flaws.append(Flaw(source.name, 1, "the table is no list: write `- model: ...`"))
        return
    for item in tree.root.items:
        number = tree.lines.at(item.start)[0]
        if not isinstance(item, Pairs):
            flaws.append(Flaw(source.name, number, "a price is a mapping with model, input and output"))
            continue
        unknown = _unknown(item.entries)
        cells = {key: _cell(tree, entry.value) for key, entry in item.entries.items()}
        nested = [f"{key} is no single value" for key, cell in cells.items() if cell is None]
        flaws.extend(Flaw(source.name, number, message) for message in (*unknown, *nested))
        if not unknown and not nested:
            yield _Line(number, {key: cell or "" for key, cell in cells.items()})


def _cell(tree: Tree, part: Part) -> str | None:
    """What stands in the file: a number's own text, since a float has lost it."""
    match part:
        case Leaf(value=None):
            return ""
        case Leaf(value=str() as text):
            return text.strip()
        case Leaf():
            return tree.text[part.start : part.end]
        case _:
            return None


def _unknown(names: Iterable[str]) -> list[str]:
    return [f"there is no column {name!r:.60}; there are {', '.join(COLUMNS)}" for name in names if name not in COLUMNS]
