"""`baton chat` with everything that a flow can ask, from a pipe; what is recorded of it is a test that passes."""

import re
from pathlib import Path

import pytest

from api.cli.talking.partner import Said, ShownBlock, Wrong
from api.cli.talking.record import Record
from tests.cli.conftest import Baton
from tests.support.server import running_server
from tests.testing.places import read_tests

EVERYTHING = """\
flow: everything
intent: {}
inputs: {shop: {type: string, default: main}, page: {type: integer}}
commands:
  - {say: [agent], next: agent}
  - {say: [help], reply: Just answer.}
nodes:
  hello: {type: message, text: "Welcome to {{ inputs.shop }}, page {{ inputs.page }}.", next: days}
  days:
    type: ask
    prompt: Which days?
    input: multi_select
    options: {each: "['mo', 'tu']", do: {value: "{{ item }}", label: "{{ item | upper }}"}}
    next: date
  date: {type: ask, prompt: When?, input: date, required: false, next: amount}
  amount: {type: ask, prompt: How many?, input: integer, required: false, default: 3, placeholder: a number, next: form}
  form:
    type: form
    title: About you
    fields:
      - {name: first, type: text, label: First name, required: true}
      - {name: years, type: integer, label: Age}
    check: [{that: "values.years < 99", text: "Really?", field: years}]
    next: rest
  rest: {type: wait, for: 1s, next: coin}
  coin: {type: split, branches: [{weight: 1, next: heads}, {weight: 1, next: tails}]}
  heads: {type: message, text: any, next: sub}
  tails: {type: message, text: Tails., next: sub}
  sub: {type: call, flow: part, save: sure, next: bye}
  agent: {type: message, text: A person comes., next: end}
  bye: {type: message, text: "{{ vars.first }} {{ vars.days }} {{ vars.date }} {{ vars.amount }} {{ vars.sure.sure }}.", next: end}
"""
PART = """\
flow: part
outputs: {sure: "{{ vars.ask }}"}
nodes:
  ask: {type: ask, prompt: Sure?, input: boolean, attempts: 2, retry: Yes or no., on_exhausted: end, next: photo}
  photo: {type: ask, prompt: A photo?, input: image_upload, required: false, next: end}
"""
TALK = "help\n1, tu\ntomorrow\n31.1.2026\n\n\nAda\n/help\n\n120\n\n7\nmaybe\nyes\n\n"


@pytest.fixture
def everything(flows: Path) -> Path:
    (flows / "everything.yaml").write_text(EVERYTHING)
    (flows / "part.yaml").write_text(PART)
    return flows


def test_everything_that_a_flow_can_ask_is_asked_and_answered(baton: Baton, everything: Path) -> None:
    result = baton("chat", "everything", "--context", "shop=north", "--context", "page=4", typed=TALK)
    assert result.exit_code == 0, result.stderr
    told = re.sub("(any|Tails.)\nSure", "COIN\nSure", result.stdout)
    assert told.splitlines() == [
        "Welcome to north, page 4.",
        "Which days?",
        "  1) MO",
        "  2) TU",
        "(1, 2) > help",
        "Just answer.",
        "Which days?",
        "  1) MO",
        "  2) TU",
        "(1, 2) > 1, tu",
        "When?",
        "(2026-01-31; empty: none) > tomorrow",
        "  ! Enter a date such as 2026-01-31.",
        "(2026-01-31; empty: none) > 31.1.2026",
        "How many?",
        "(a number; empty: 3) > ",
        "About you",
        "---------",
        "First name*: ",
        "  ! Please give an answer.",
        "  (the same once more sends it as it is)",
        "First name*: Ada",
        "Age: /help",
        "Just answer.",
        "About you",
        "---------",
        "First name* (empty: Ada): ",
        "Age: 120",
        "  ! Age: Really?",
        "Age (empty: 120; -: none): ",
        "  ! Age: Really?",
        "Age (empty: 120; -: none): 7",
        "  (it waits 1 s)",
        "COIN",
        "Sure?",
        "  (attempts left: 2)",
        "> maybe",
        "Yes or no.",
        "Sure?",
        "  (attempts left: 1)",
        "> yes",
        "A photo?",
        "  (files cannot be sent from a terminal)",
        "(empty: none) > ",
        'Ada ["mo","tu"] 2026-01-31 3 true.',
        "  (completed)",
    ]


def test_over_a_servers_chat_surface_it_is_the_same_talk_and_its_record_passes(baton: Baton, everything: Path, folder: Path) -> None:
    given = ["--context", "shop=north", "--context", "page=4"]
    here = baton("chat", "everything", *given, typed=TALK).stdout
    with running_server(folder, "--dev") as server:
        key, _ = server.read_keys()
        options = ["--server", server.url, "--key", key, "--record", "flows/there.test.yaml"]
        there = baton("chat", "everything", *given, *options, typed=TALK).stdout
    coin = re.compile("(any|Tails.)\\nSure")
    assert coin.sub("COIN\nSure", there) == coin.sub("COIN\nSure", here)
    assert baton("test").stdout == "1 passed, 0 failed.\n"


@pytest.mark.parametrize(
    ("typed", "context"),
    [(TALK, ["shop=any", "page=4"]), ("1\nagent\n", []), ("1\n\n\n/agent\n", ["page=null"]), ("1\n\n\nAda\n", ['shop="x"'])],
    ids=["all", "a command", "a command in a form", "left"],
)
def test_a_record_goes_the_same_way_whatever_chance_decides(typed: str, context: list[str], baton: Baton, everything: Path) -> None:
    given = [option for entry in context for option in ("--context", entry)]
    for number in range(3):
        assert baton("chat", "everything", *given, "--record", f"flows/talk{number}.test.yaml", typed=typed).exit_code == 0
    assert baton("test").stdout == "3 passed, 0 failed.\n"


def test_a_slash_that_belongs_to_the_answer_is_typed_twice(baton: Baton, everything: Path) -> None:
    told = baton("chat", "everything", typed="1\n\n\n//etc\n\nyes\n\n").stdout
    assert '/etc ["mo"]  3 true.' in told


@pytest.mark.parametrize("entry", ["shop", "=north"])
def test_a_context_without_a_name_or_a_value_is_wrong_use(entry: str, baton: Baton, everything: Path) -> None:
    assert baton("chat", "everything", "--context", entry, typed="").exit_code == 2


def test_a_context_that_does_not_fit_the_inputs_is_a_finding(baton: Baton, everything: Path) -> None:
    result = baton("chat", "everything", "--context", "page=four", typed="")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "/context/page: This has the wrong type." in result.stderr


BEGAN = 1_767_603_600_250


def waiting(deadline: int | None, *texts: str) -> Said:
    blocks = tuple(ShownBlock(text, "message", {"text": text}) for text in texts)
    return Said(
        run_id="r",
        flow="f",
        turn_id="t",
        status="waiting_input",
        blocks=blocks,
        expected={"kind": "text"},
        token="a",
        deadline=deadline,
        end_reason=None,
    )


def steps_of(record: Record, path: Path) -> list[str]:
    record.write(path)
    text = path.read_text(encoding="utf-8")
    read_tests(text)
    return [line.strip().removeprefix("- ") for line in text.partition("steps:\n")[2].splitlines()[:-1]]


def test_time_that_goes_by_is_kept_in_whole_seconds_of_each_wait(tmp_path: Path) -> None:
    record = Record(BEGAN)
    first = waiting(BEGAN + 60_003)
    record.triggered("hi", first)
    record.heard(first, (), BEGAN + 40)
    record.reminded(BEGAN + 10_030)  # a reminder after 10 s, of a wait that began at 3
    record.thought(BEGAN + 59_999)
    record.refused("no", [Wrong("name", "Wrong.")])
    record.waited(BEGAN + 60_100)
    second = waiting(BEGAN + 61_100)
    record.heard(second, (), BEGAN + 60_101)
    record.thought(BEGAN + 61_050)
    record.answered("yes")
    assert steps_of(record, tmp_path / "a.test.yaml") == [
        'trigger: "hi"',
        'advance: "10s"',
        'advance: "49s"',
        'rejected: {"user": "no", "field": "name"}',
        'advance: "1s"',
        'user: "yes"',
    ]


def test_a_moment_that_the_author_has_named_is_reached_however_long_was_thought_before(tmp_path: Path) -> None:
    record = Record(BEGAN)
    record.triggered("hi", waiting(None))
    for number in range(1, 4):
        record.heard(waiting(BEGAN + number * 10_000 + 1), (), BEGAN + number * 900)
        record.thought(BEGAN + number * 900 + 850)
    until = BEGAN + 19_750
    record.heard(waiting(until), (), BEGAN + 4_000)
    record.waited(until + 9)
    assert steps_of(record, tmp_path / "a.test.yaml") == ['trigger: "hi"', 'advance: "20s"']


def test_a_text_that_means_something_else_in_a_test_is_recorded_as_a_block(tmp_path: Path) -> None:
    record = Record(BEGAN)
    said = waiting(None, "any", "Any.")
    record.triggered("any", said)
    record.heard(said, said.blocks, BEGAN)
    assert steps_of(record, tmp_path / "a.test.yaml")[1:] == [
        'bot: {"block": "message", "payload": {"text": "any"}}',
        'bot: "Any."',
    ]
