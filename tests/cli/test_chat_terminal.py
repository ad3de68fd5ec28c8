"""`baton chat` at a terminal: the clock is seen, and nothing that is said gets between the person and what they type."""

import re
from pathlib import Path

import pytest

from api.cli.talking.keyboard import Keyboard, rows_below
from api.cli.talking.screen import span_text
from api.cli.talking.terminal import countdown
from tests.cli.conftest import Baton
from tests.cli.person import person

PATIENT = """\
flow: patient
intent: {}
expires_after: 1h
nodes:
  name:
    type: ask
    prompt: Your name?
    remind: [{after: 2s, text: Still there?}]
    next: hello
  hello: {type: message, text: "Hello, {{ vars.name }}.", next: end}
"""
HURRIED = """\
flow: hurried
intent: {}
nodes:
  name: {type: ask, prompt: Your name?, timeout: {after: 4s, next: town}, next: end}
  town: {type: ask, prompt: Your town?, next: hello}
  hello: {type: message, text: "Hello, {{ vars.town }}.", next: end}
"""
RESTING = """\
flow: resting
intent: {}
nodes:
  rest: {type: wait, for: 2s, next: hello}
  hello: {type: message, text: Here I am., next: long}
  long: {type: wait, for: 1h, next: end}
"""


LATE = """\
  late: {type: ask, prompt: Which town?, timeout: {after: 1s, next: again}, next: end}
  again: {type: ask, prompt: Another town?, next: end}
"""


def test_a_reminder_stands_above_what_is_being_typed(flows: Path, folder: Path) -> None:
    (flows / "patient.yaml").write_text(PATIENT)
    with person(folder, "patient") as somebody:
        somebody.reads(r"\] > ")
        somebody.types("Ad")
        somebody.reads(r"Still there\?")
        somebody.types("a\n")
        assert somebody.leaves() == 0
        assert somebody.lines() == ["  (Ctrl-D ends it)", "Your name?", "Still there?", "> Ada", "Hello, Ada.", "  (completed)", ""]


def test_what_takes_several_rows_is_moved_and_taken_back_as_a_whole(flows: Path, folder: Path) -> None:
    (flows / "patient.yaml").write_text(PATIENT)
    typed = "x" * 45
    with person(folder, "patient", columns=20) as somebody:
        somebody.reads(r"\] > ")
        somebody.types(f"{typed}yz")
        somebody.reads(r"Still there\?")
        somebody.types("\x7f\x7f\x1b[D é\x7f!\n")
        assert somebody.leaves() == 0
        said = "".join(somebody.lines())
        assert "Still there?> " + typed + " !Hello" in said
        assert said.count("x" * 45) == 2


def test_the_time_that_is_left_is_counted_down_and_leaves_no_trace(flows: Path, folder: Path) -> None:
    (flows / "hurried.yaml").write_text(HURRIED)
    with person(folder, "hurried") as somebody:
        somebody.reads(r"\[0:0[34]\] > ")
        somebody.types("Too sl")
        somebody.reads(r"\[0:0[12]\] > Too sl")
        somebody.reads(r"Your town\?")
        somebody.types("Ulm\n")
        assert somebody.leaves() == 0
        assert somebody.lines()[1:] == [
            "Your name?",
            "> Too sl",
            "  (the time is up)",
            "Your town?",
            "> Ulm",
            "Hello, Ulm.",
            "  (completed)",
            "",
        ]


def test_while_it_waits_for_time_it_says_so_and_goes_on_by_itself_until_one_leaves(flows: Path, folder: Path) -> None:
    (flows / "resting.yaml").write_text(RESTING)
    with person(folder, "resting", "--record", "flows/resting.test.yaml") as somebody:
        somebody.reads(r"\[0:0[12]\] \.\.\. ")
        somebody.types("hello?\n")
        somebody.reads(r"\[1 h\] |\[59:59\] ")
        somebody.types("\x04")
        assert somebody.leaves() == 0
    assert "Here I am." in somebody.lines()
    steps = (flows / "resting.test.yaml").read_text()
    assert re.search(r'- advance: "2s"\n      - bot: "Here I am."\n      - status: waiting_time\n', steps)


def test_a_record_of_reminders_and_a_deadline_passes_as_a_test(baton: Baton, flows: Path, folder: Path) -> None:
    (flows / "patient.yaml").write_text(PATIENT.replace("next: hello\n", "timeout: {after: 4s, next: late}\n    next: hello\n", 1) + LATE)
    with person(folder, "patient", "--record", "flows/patient.test.yaml") as somebody:
        somebody.reads(r"Another town\?")
        somebody.types("Ulm\n")
        assert somebody.leaves() == 0
    assert baton("test").stdout == "1 passed, 0 failed.\n"
    steps = (flows / "patient.test.yaml").read_text()
    assert '- advance: "2s"\n      - bot: "Still there?"\n      - advance: "2s"\n      - bot: "Which town?"\n' in steps


def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(flows: Path, folder: Path) -> None:
    (flows / "patient.yaml").write_text(PATIENT)
    with person(folder, "patient") as somebody:
        somebody.reads(r"\] > ")
        somebody.process.send_signal(2)
        assert somebody.leaves() == 1


def test_what_was_said_until_ctrl_c_is_recorded_and_passes_as_a_test(baton: Baton, flows: Path, folder: Path) -> None:
    asks_twice = PATIENT.replace("2s", "30m").replace("next: hello\n", "next: town\n", 1)
    (flows / "patient.yaml").write_text(f"{asks_twice}  town: {{type: ask, prompt: Your town?, next: hello}}\n")
    with person(folder, "patient", "--record", "flows/patient.test.yaml") as somebody:
        somebody.reads(r"\] > ")
        somebody.types("Ada\n")
        somebody.reads(r"Your town\?(?s:.*)\] > ")
        somebody.types("Ul")
        somebody.reads("> Ul")  # else the terminal may take it after the program has given it back
        somebody.process.send_signal(2)
        assert somebody.leaves() == 1
        assert somebody.lines()[-4:] == ["Saved as flows/patient.test.yaml.", "", "Aborted!", ""]
    assert baton("test").stdout == "1 passed, 0 failed.\n"
    steps = (flows / "patient.test.yaml").read_text()
    assert '- user: "Ada"\n' in steps
    assert steps.endswith('- bot: "Your town?"\n      - status: waiting_input\n')


def test_where_nothing_was_said_nothing_is_recorded(baton: Baton, flows: Path, folder: Path) -> None:
    assert baton("chat", "nobody", "--record", "talk.test.yaml").exit_code == 1
    assert not (folder / "talk.test.yaml").exists()


def test_a_program_that_was_stopped_goes_on_where_it_was(flows: Path, folder: Path) -> None:
    (flows / "patient.yaml").write_text(PATIENT.replace("1h", "1d").replace("2s", "1h"))
    with person(folder, "patient") as somebody:
        somebody.reads(r"\] > ")
        somebody.types("A")
        somebody.reads("> A")
        somebody.goes_on()
        somebody.types("da\n")
        assert somebody.leaves() == 0
        assert somebody.lines()[1:4] == ["Your name?", "> Ada", "Hello, Ada."]


def test_in_a_pipe_there_is_no_clock_and_nothing_that_moves_a_cursor(baton: Baton, flows: Path) -> None:
    (flows / "resting.yaml").write_text(RESTING.replace("for: 1h, next: end", "for: 1s, next: end"))
    told = baton("chat", "resting", typed="").stdout
    assert told == "  (it waits 2 s)\nHere I am.\n  (it waits 1 s)\n  (completed)\n"


@pytest.mark.parametrize(
    ("keys", "lines", "left"),
    [
        (b"Ada\r", ["Ada"], ""),
        (b"one\ntwo\nthr", ["one", "two"], "thr"),
        (b"Adx\x7fa", [], "Ada"),
        (b"\x7f\x7fa", [], "a"),
        (b"one two\x17\x17", [], ""),
        (b"one two \x17three", [], "one three"),
        (b"one\x15two", [], "two"),
        ("caf\u0065\u0301\x7f".encode(), [], "caf"),
        (b"a\x1b[1;5Db\x1bOPc\x1bxd\x1b[3~e", [], "abcde"),
        (b"a\x04b", [], "ab"),
        (b"\x04", [None], ""),
        (b"a\x01\x00\tb", [], "ab"),
        (b"\xff", [], "\ufffd"),
    ],
)
def test_keys_make_lines_as_a_terminal_makes_them(keys: bytes, lines: list[str | None], left: str) -> None:
    whole, split = Keyboard(), Keyboard()
    assert (whole.feed(keys), whole.text) == (lines, left)
    assert ([line for key in keys for line in split.feed(bytes([key]))], split.text) == (lines, left)


@pytest.mark.parametrize(
    ("text", "rows"), [("", 0), ("x" * 10, 0), ("x" * 11, 1), ("x" * 20, 1), ("日" * 5, 0), ("x日日日日日", 1), ("e\u0301" * 10, 0)]
)
def test_the_rows_of_a_text_are_counted_as_a_terminal_wraps_it(text: str, rows: int) -> None:
    assert rows_below(text, 10) == rows


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (0, "[0:00] "),
        (-5, "[0:00] "),
        (1, "[0:01] "),
        (61_000, "[1:01] "),
        (3_600_000, "[1 h] "),
        (90_000_000, "[25 h] "),
        (172_800_000, "[2 d] "),
    ],
)
def test_a_countdown_is_to_the_second_in_the_last_hour(left: int, shown: str) -> None:
    assert countdown(1_000_000 + left, 1_000_000) == shown
    assert countdown(None, 0) == ""


@pytest.mark.parametrize(
    ("span", "told"), [(1, "1 s"), (60_000, "1 min"), (3_660_001, "1 h 1 min"), (90_061_000, "1 d 1 h"), (-1, "0 s"), (172_800_000, "2 d")]
)
def test_a_span_is_told_in_the_two_units_that_matter(span: int, told: str) -> None:
    assert span_text(span) == told
