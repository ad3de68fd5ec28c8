"""`baton prices`, and price tables as people write them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.loading import Source
from engine.runtime.prices import table
from engine.runtime.prices.table import Listed, TableRefused, is_amount, read_table
from tests.cli.conftest import Baton

EXAMPLE = Path(table.__file__).parent / "models.csv"
HEADER = "model,input,output,cached_input,effective_from\n"


def flaws(text: str, name: str = "prices.csv") -> list[str]:
    with pytest.raises(TableRefused) as refused:
        read_table(Source(name, text))
    return [str(flaw) for flaw in refused.value.flaws]


def test_csv_and_yaml_say_the_same() -> None:
    csv = read_table(Source("p.csv", "output,model,input,note\n10,gpt,2.50,dear\n"))
    yaml = read_table(Source("p.yaml", "- {model: gpt, input: 2.50, output: 10, note: dear}\n"))
    assert csv == yaml == [Listed("gpt", "2.50", "10", None, 0)]


def test_a_number_in_yaml_keeps_the_digits_that_a_float_would_lose() -> None:
    price = read_table(Source("p.yml", "- model: gpt\n  input: 0.100000000\n  output: 123456.123456789\n"))[0]
    assert (price.input, price.output) == ("0.100000000", "123456.123456789")


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2026-01-05", 1_767_571_200_000),
        ("2026-01-05T09:00:00Z", 1_767_603_600_000),
        ("2026-01-05T10:00:00.5+01:00", 1_767_603_600_500),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("", 0),
    ],
)
def test_a_price_holds_from_a_date_in_utc_a_moment_or_the_beginning(text: str, millis: int) -> None:
    assert read_table(Source("p.csv", f"{HEADER}gpt,1,2,,{text}\n"))[0].effective_from == millis


@pytest.mark.parametrize("amount", ["0", "0.15", "1000000", "999999.999999999", "007"])
def test_amounts_are_plain_decimals_from_0_to_a_million(amount: str) -> None:
    assert is_amount(amount)


@pytest.mark.parametrize("amount", ["-1", "1e3", "NaN", "Infinity", "1000000.01", "0.1234567891", "1,5", "٣", ".5", "1.", " 1", "0x1"])
def test_anything_else_is_no_amount(amount: str) -> None:
    assert not is_amount(amount)


def test_all_problems_of_a_table_are_told_with_their_lines() -> None:
    text = f"{HEADER}gpt,1,2,,\n,1,2,,\ngpt 4,x,2,-1,yesterday\ngpt,1,2,,1970-01-01\nclaude,1\n\ngemini,1,2,3,,6\n"
    assert [flaw.partition(": ")[0] for flaw in flaws(text)] == [
        "prices.csv:3",
        "prices.csv:4",
        "prices.csv:4",
        "prices.csv:4",
        "prices.csv:4",
        "prices.csv:5",
        "prices.csv:6",
        "prices.csv:8",
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.csv", "model,input,output,currency\ngpt,1,2,EUR\n", "there is no column 'currency'"),
        ("p.csv", "model,input\ngpt,1\n", "the column output is missing"),
        ("p.csv", "model,input,output,input\n", "a column stands twice"),
        ("p.csv", "", "the column model is missing"),
        ("p.csv", "model,input,output\n", "the table has no prices"),
        ("p.csv", 'model,input,output\n"gpt,1,2\n', "the line is not CSV"),
        ("p.yaml", "model: gpt\n", "the table is no list"),
        ("p.yaml", "- [gpt, 1, 2]\n", "a price is a mapping"),
        ("p.yaml", "- {model: gpt, input: 1, output: 2, currency: EUR}\n", "there is no column 'currency'"),
        ("p.yaml", "- {model: gpt, input: [1], output: 2}\n", "input is no single value"),
        ("p.yaml", "- {model: gpt\n", "p.yaml:1:"),
    ],
)
def test_a_table_that_is_none_says_why(name: str, text: str, told: str) -> None:
    assert any(told in flaw for flaw in flaws(text, name))


def test_the_example_table_is_taken_as_it_is_and_tells_the_source_of_each_figure(baton: Baton, tenant: dict[str, Any]) -> None:
    result = baton("prices", "import", EXAMPLE)
    assert (result.exit_code, result.stderr) == (0, "See the table with `baton prices show`.\n")
    rows = json.loads(baton("prices", "show", "--json").stdout)
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == len(lines) >= 8
    assert [line for line in lines if not line.split(",")[-1].partition(": ")[2]] == []
    assert [row for row in rows if row["cached_input"] and Decimal(row["cached_input"]) > Decimal(row["input"])] == []


def test_a_table_with_a_problem_changes_nothing(baton: Baton, folder: Path, tenant: dict[str, Any]) -> None:
    (folder / "prices.csv").write_text(f"{HEADER}gpt,1,2,,\nclaude,one,2,,\n")
    result = baton("prices", "import", "prices.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "prices.csv:3: input 'one' is no price" in result.stderr
    assert json.loads(baton("prices", "show", "--json").stdout) == []


def test_importing_again_replaces_prices_of_the_same_moment(baton: Baton, folder: Path, tenant: dict[str, Any]) -> None:
    for price in ("1", "2.5"):
        (folder / "prices.csv").write_text(f"{HEADER}gpt,{price},9,,2026-01-01\n")
        assert baton("prices", "import", "prices.csv").exit_code == 0
    rows = json.loads(baton("prices", "show", "--json").stdout)
    assert rows == [{"model": "gpt", "input": "2.5", "output": "9", "cached_input": None, "effective_from": "2026-01-01T00:00:00Z"}]


def test_an_imported_price_that_a_newer_one_outlives_is_told(baton: Baton, folder: Path, tenant: dict[str, Any]) -> None:
    assert baton("prices", "set", "gpt", "--input", "1", "--output", "2").exit_code == 0
    (folder / "prices.csv").write_text(f"{HEADER}gpt,5,9,,\n")
    assert "newer" in baton("prices", "import", "prices.csv").stderr


def test_a_price_that_has_always_held_is_shown_from_the_beginning(baton: Baton, folder: Path, tenant: dict[str, Any]) -> None:
    (folder / "prices.csv").write_text(f"{HEADER}gpt,5,9,,\n")
    baton("prices", "import", "prices.csv")
    assert baton("prices", "show").stdout.splitlines()[1].split(maxsplit=4) == ["gpt", "5", "9", "-", "the beginning"]
    assert json.loads(baton("prices", "show", "--json").stdout)[0]["effective_from"] == "1970-01-01T00:00:00Z"


def test_the_table_is_listed_as_it_is_shown(baton: Baton, tenant: dict[str, Any]) -> None:
    baton("prices", "set", "gpt", "--input", "1", "--output", "2")
    assert baton("prices", "list", "--json").stdout == baton("prices", "show", "--json").stdout != "[]\n"


@pytest.mark.parametrize("options", [("--input", "-1", "--output", "2"), ("--input", "1", "--output", "2", "--effective-from", "soon")])
def test_a_price_that_is_none_is_wrong_use(options: tuple[str, ...], baton: Baton, tenant: dict[str, Any]) -> None:
    assert baton("prices", "set", "gpt", *options).exit_code == 2


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.9999Z"])
def test_a_moment_that_cannot_be_shown_is_refused_in_a_table_and_alone(
    text: str, baton: Baton, folder: Path, tenant: dict[str, Any]
) -> None:
    told = f"effective_from '{text}' is no moment"
    (folder / "prices.csv").write_text(f"{HEADER}gpt,1,2,,{text}\n")
    imported = baton("prices", "import", "prices.csv")
    assert (imported.exit_code, imported.stderr.splitlines()[0].count(f"prices.csv:2: {told}")) == (1, 1)
    alone = baton("prices", "set", "gpt", "--input", "1", "--output", "2", "--effective-from", text)
    assert (alone.exit_code, told in alone.stderr) == (2, True)
    assert baton("prices", "show", "--json").stdout == "[]\n"
