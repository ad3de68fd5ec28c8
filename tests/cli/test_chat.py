"""`baton chat`, with what a person types coming from a pipe."""

import asyncio
import io
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from api.cli.talking.conversing import Conversation
from api.cli.talking.fields import typed
from api.cli.talking.lines import PipedLines
from api.cli.talking.local import local_partner
from api.cli.talking.partner import Answer, MovedOn, Partner, Said, ShownBlock
from api.cli.talking.record import Record
from api.cli.talking.remote import remote_partner
from api.cli.talking.screen import draw
from engine.loading import Source
from engine.runtime.clock import SystemClock
from tests.cli.conftest import Baton
from tests.support.server import environment, running_server

ORDER = """\
flow: order
intent: {examples: [where is my parcel]}
nodes:
  kind:
    type: choice
    prompt: What is it about?
    options: [{value: order, label: An order, next: number}, {value: seats, label: Seats, next: details}]
  number:
    type: ask
    prompt: Which order?
    validation: {pattern: "[A-Z]-[0-9]+"}
    attempts: 2
    retry: That is none.
    on_exhausted: bye
    next: bye
  details:
    type: form
    title: Tell us more
    fields:
      - {type: heading, label: You}
      - {name: email, type: email, label: E-mail, required: true}
      - {name: seats, type: integer, label: Seats, default: 2, validation: {max: 9}}
      - {name: plan, type: select, label: Plan, options: [{value: p, label: Pro}, {value: f, label: Free}]}
      - {name: days, type: multi_select, label: Days, options: [{value: mo, label: Monday}, {value: tu, label: Tuesday}]}
      - {name: news, type: checkbox, label: News}
    next: thanks
  thanks: {type: block, block: card, payload: {title: "{{ vars.email }}", seats: "{{ vars.seats }}", days: "{{ vars.days }}"}, next: bye}
  bye: {type: message, text: "Bye {{ vars.number }}{{ vars.plan }}.", next: end}
"""
FORM = "2\nada\nada@example.org\n12\n\nPro\n1, tuesday\nyes\n"
SLOW = """\
flow: slow
intent: {}
nodes:
  question: {type: ask, prompt: Still there?, timeout: {after: 1s, next: late}, next: end}
  late: {type: message, text: Too late., next: question2}
  question2: {type: ask, prompt: And now?, next: end}
"""


@pytest.fixture
def order(flows: Path) -> Path:
    (flows / "order.yaml").write_text(ORDER)
    return flows


def test_a_choice_is_numbered_and_answered_by_number(baton: Baton, order: Path) -> None:
    result = baton("chat", "order", typed="1\nA-7\n")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "What is it about?",
        "  1) An order",
        "  2) Seats",
        "> 1",
        "Which order?",
        "  (attempts left: 2)",
        "> A-7",
        "Bye A-7.",
        "  (completed)",
    ]


def test_a_wrong_answer_is_explained_and_asked_again(baton: Baton, order: Path) -> None:
    result = baton("chat", "order", typed="3\nseven\n1\nseven\nA-7\n")
    assert result.stdout.count("\n  ! ") == 2
    assert "That is none." in result.stdout
    assert result.stdout.endswith("Bye A-7.\n  (completed)\n")


def test_a_form_is_asked_field_by_field_and_each_is_judged_as_it_is_typed(baton: Baton, order: Path) -> None:
    result = baton("chat", "order", typed=FORM)
    assert [
        line.partition(":")[0] for line in result.stdout.splitlines() if line.startswith(("E-mail", "Seats", "Plan", "Days", "News"))
    ] == [
        "E-mail*",
        "E-mail*",
        "Seats (empty",
        "Seats (empty",
        "Plan",
        "Days",
        "News (yes/no)",
    ]
    assert "Plan\n  1) Pro\n  2) Free\n> Pro\nDays\n  1) Monday\n  2) Tuesday\n(1, 2) > 1, tuesday\n" in result.stdout
    assert (
        "E-mail*: ada\n  ! Enter an email address such as name@example.com.\n  (the same once more sends it as it is)\nE-mail*: "
        in result.stdout
    )
    assert ": 12\n  ! This must be at most 9.\n" in result.stdout
    assert "[card]\n  title: ada@example.org\n  seats: 2\n" in result.stdout
    assert "mo" in result.stdout.partition("days: ")[2].splitlines()[0]
    assert result.stdout.endswith("Bye p.\n  (completed)\n")


def test_a_text_of_more_characters_than_a_server_takes_is_refused_and_asked_for_again(baton: Baton, flows: Path) -> None:
    told = baton("chat", "greeting", typed=f"{'x' * 4001}\n{'y' * 4000}\n").stdout
    assert "x\n  ! Its length must be at most 4,000.\n> y" in told
    assert told.endswith(f"Hello, {'y' * 4000}.\n  (completed)\n")
    begun = baton("chat", "greeting", "--text", "x" * 4001, typed="")
    assert (begun.exit_code, begun.stderr) == (1, "Error: /text: Its length must be at most 4,000.\n")


def test_the_end_of_the_input_ends_the_talk_cleanly(baton: Baton, order: Path) -> None:
    result = baton("chat", "order", typed="1\n")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "typed", ["1\nA-7\n", "nonsense\n1\nseven\nB-8\n", "1\n", FORM, ""], ids=["straight", "wrong", "left", "form", "mute"]
)
def test_a_recorded_talk_is_a_conversation_test_that_passes(typed: str, baton: Baton, order: Path) -> None:
    assert baton("chat", "order", "--record", "flows/talk.test.yaml", typed=typed).exit_code == 0
    result = baton("test", "flows")
    assert (result.exit_code, result.stdout) == (0, "1 passed, 0 failed.\n")


def waiting(turn: str, *texts: str) -> Said:
    blocks = tuple(ShownBlock(text, "message", {"text": text}) for text in texts)
    deadline = SystemClock().wall() + 60_000
    deadline -= deadline % 1000 == 0  # a whole second would be taken for a moment that the author has named
    kind: dict[str, Any] = {"kind": "text"}
    return Said(
        run_id="r",
        flow="slow",
        turn_id=turn,
        status="waiting_input",
        blocks=blocks,
        expected=kind,
        token=turn,
        deadline=deadline,
        end_reason=None,
    )


class SlowPerson:
    """A partner whose first question nobody answers in time; the second is answered once it is there."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._first = waiting("1", "Still there?")
        self._second = waiting("2", "Still there?", "Too late. And now?")

    async def trigger(self, intent: str, text: str | None, context: dict[str, Any]) -> tuple[str, Said]:
        return text or intent, structs.replace(self._first, flow=context.get("flow", "slow"))

    async def answer(self, said: Said, answer: Answer) -> Said:
        assert (said, answer) == (self._second, "yes")
        self._wire.shutdown(socket.SHUT_WR)  # nothing more is typed: the thread that reads can end
        return structs.replace(said, turn_id="3", status="completed", blocks=(), expected=None, deadline=None)

    async def changed(self, said: Said) -> Said:
        if said == self._first:
            return self._second
        self._wire.sendall(b"yes\n")
        await asyncio.get_running_loop().create_future()
        raise AssertionError


def test_a_record_takes_the_place_of_no_file(baton: Baton, order: Path) -> None:
    (kept := order / "order.test.yaml").write_text("flow: order\n")
    result = baton("chat", "order", "--record", kept, typed="1\n")
    assert (result.exit_code, kept.read_text()) == (2, "flow: order\n")
    assert "is there already" in result.stderr


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("flows/talk.yaml", "would be taken for a flow: a conversation test is called NAME.test.yaml."),
        ("/proc/talk.test.yaml", "Nothing can be written into the folder '/proc'"),
    ],
)
def test_a_record_that_could_not_be_kept_is_refused_before_anything_is_said(place: str, why: str, baton: Baton, order: Path) -> None:
    result = baton("chat", "order", "--record", place, typed="1\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr


def test_a_language_that_a_server_would_refuse_is_refused_here_too(baton: Baton, order: Path) -> None:
    result = baton("chat", "order", "--locale", "xx_yy", typed="")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'xx_yy' is not a language: write it like en or de-AT." in result.stderr


async def test_a_deadline_acts_while_one_thinks_and_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed, wire = socket.socketpair()
    with wire, typed, typed.makefile("r", encoding="utf-8") as stream:
        record = Record(1_767_603_600_000, None)
        await Conversation(SlowPerson(wire), PipedLines(stream), record).hold("slow", "hi")
        record.write(tmp_path / "slow.test.yaml")
    assert "(the time is up)\nToo late. And now?\n> yes\n" in capsys.readouterr().out
    steps = (tmp_path / "slow.test.yaml").read_text(encoding="utf-8")
    assert '- advance: "60s"\n      - bot: "Too late. And now?"\n      - user: "yes"' in steps


async def test_a_flow_in_this_process_lets_its_deadlines_act_by_themselves() -> None:
    async with local_partner([Source("slow.yaml", SLOW)], None) as partner:
        _, said = await partner.trigger("slow", None, {})
        late = await partner.changed(said)
        assert [block.payload["text"] for block in late.blocks] == ["Still there?", "Too late.", "And now?"]
        with pytest.raises(MovedOn) as moved:
            await partner.answer(said, "yes")
        assert moved.value.said.token == late.token


EXPIRES = "flow: brief\nintent: {}\nexpires_after: 1s\nnodes:\n  ask: {type: ask, prompt: Well?, next: end}\n"


async def test_an_answer_to_a_run_that_has_expired_learns_how_it_ended(flows: Path, folder: Path) -> None:
    async with local_partner([Source("brief.yaml", EXPIRES)], None) as partner:
        await expects_the_end(partner)
    (flows / "brief.yaml").write_text(EXPIRES)
    with running_server(folder, "--dev") as server:
        key, _ = server.read_keys()
        async with remote_partner(server.url, key, None) as there:
            await expects_the_end(there)


async def expects_the_end(partner: Partner) -> None:
    _, said = await partner.trigger("brief", None, {})
    assert (await partner.changed(said)).ended
    with pytest.raises(MovedOn) as moved:
        await partner.answer(said, "yes")
    assert (moved.value.said.status, moved.value.said.end_reason) == ("aborted", "expired")


BROKEN = """\
flow: broken
intent: {}
nodes:
  ask: {type: ask, prompt: How many?, next: show}
  show: {type: message, text: "{{ vars.ask | number }}", next: end}
"""


def test_a_run_that_fails_says_why_and_where_as_far_as_it_is_told(baton: Baton, flows: Path, folder: Path) -> None:
    (flows / "broken.yaml").write_text(BROKEN)
    told = baton("chat", "broken", typed="many\n").stdout.splitlines()[-1]
    assert told == "  (failed: expression.type at show: A number is needed here, not a text.)"
    with running_server(folder, "--dev") as server:
        key, _ = server.read_keys()
        there = baton("chat", "broken", "--server", server.url, "--key", key, typed="many\n").stdout.splitlines()[-1]
    assert there == "  (failed: expression.type)"


def test_an_intent_that_no_flow_has_is_a_finding_that_names_those_there_are(baton: Baton, order: Path) -> None:
    result = baton("chat", "orders", typed="")
    assert result.exit_code == 1
    assert "greeting, order" in result.stderr
    assert result.stderr.endswith("Did you mean 'order'?\n")


@pytest.mark.parametrize("named", ["where is my parcel", " Where is  MY parcel"])
def test_an_example_of_one_flow_stands_for_its_intent(named: str, baton: Baton, order: Path) -> None:
    result = baton("chat", named, "--record", "talk.test.yaml", typed="1\nA-7\n")
    assert result.stdout.endswith("Bye A-7.\n  (completed)\n")
    assert f'- trigger: "{named}"' in (order.parent / "talk.test.yaml").read_text()


def test_an_example_of_several_flows_is_refused_with_their_names(baton: Baton, order: Path) -> None:
    (order / "other.yaml").write_text(ORDER.replace("flow: order", "flow: other"))
    result = baton("chat", "where is my parcel", typed="")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "order, other" in result.stderr


def test_a_broken_flow_is_told_before_anything_is_begun(flows: Path) -> None:
    (flows / "broken.yaml").write_text("flow: broken\nnodes: {a: {type: message, next: end}}\n")
    command = [sys.executable, "-m", "api.cli", "chat", "greeting", "--flows", "."]
    result = subprocess.run(command, cwd=flows, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: broken.yaml:2:9: error key.missing")
    assert "Traceback" not in result.stderr


class Terminal(io.StringIO):
    """A person at a terminal."""

    def isatty(self) -> bool:
        return True


async def test_on_a_terminal_it_is_told_once_how_to_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    async with local_partner([Source("order.yaml", ORDER)], None) as partner:
        await Conversation(partner, PipedLines(Terminal("1\nA-7\n")), Record(0, None)).hold("order", None)
    told = capsys.readouterr().out
    assert told.startswith("  (Ctrl-D ends it)\nWhat is it about?\n")
    assert told.count("Ctrl-D") == 1


def test_a_server_and_its_key_go_together(baton: Baton, order: Path) -> None:
    assert baton("chat", "order", "--server", "http://127.0.0.1:1").exit_code == 2
    bare = baton("chat", "order", "--server", "localhost:8080", "--key", "pk_test_0", typed="")
    assert (bare.exit_code, bare.stderr.endswith("localhost:8080 is no address of a server: write http:// before it.\n")) == (2, True)
    assert baton("chat", "order", "--key", "pk_test_0").exit_code == 2
    assert baton("chat", "order", "--server", "http://127.0.0.1:1", "--key", "pk_test_0", typed="").exit_code == 1


def test_a_talk_with_a_running_server_is_the_same_talk(baton: Baton, order: Path) -> None:
    here = baton("chat", "order", typed=FORM).stdout
    with running_server(order.parent, "--dev") as server:
        key, _ = server.read_keys()
        there = baton("chat", "order", "--server", server.url, "--key", key, "--record", "flows/there.test.yaml", typed=FORM)
        unknown = baton("chat", "orders", "--server", server.url, "--key", key, typed="")
    assert (there.exit_code, there.stdout) == (0, here)
    assert baton("test").stdout == "1 passed, 0 failed.\n"
    assert unknown.exit_code == 1


CALLS = """\
flow: door
intent: {name: enter, examples: [open sesame]}
nodes:
  who: {type: call, flow: greet, next: bye}
  bye: {type: message, text: Bye., next: end}
---
flow: greet
nodes:
  name: {type: ask, prompt: Who are you?, next: end}
---
flow: short
intent: {}
nodes:
  bye: {type: message, text: Bye., next: end}
"""


def test_a_record_of_a_talk_with_a_server_names_the_flow_that_was_begun(baton: Baton, flows: Path, folder: Path) -> None:
    for text in CALLS.split("---\n"):
        (flows / f"{text.split()[1]}.yaml").write_text(text)
    with running_server(folder, "--dev") as server:
        key, _ = server.read_keys()
        for intent, flow in (("enter", "door"), ("short", "short")):
            named = f"flows/{flow}.test.yaml"
            there = baton("chat", intent, "--server", server.url, "--key", key, "--record", named, typed="Ada\n")
            assert (there.exit_code, there.stderr) == (0, f"Saved as {named}.\n")
    assert baton("test").stdout == "2 passed, 0 failed.\n"


@pytest.mark.parametrize(
    ("field", "line", "value"),
    [
        ({"type": "number"}, "2.5", 2.5),
        ({"type": "time"}, "2:30 pm", "14:30"),
        ({"type": "datetime"}, "5.1.2026 14.30", "2026-01-05T14:30"),
        ({"type": "email"}, "<ada@example.org>", "ada@example.org"),
        ({"type": "rating"}, " 4 ", 4),
        ({"type": "checkbox"}, "No", False),
        ({"type": "date"}, "2026-01-05", "2026-01-05"),
        ({"type": "text"}, "   ", None),
        ({"type": "signature"}, "", None),
        ({"type": "select", "options": [{"value": 2, "label": "Two"}, {"value": 1, "label": "One"}]}, "2", 2),
        ({"type": "select", "options": [{"value": "x", "label": "Two"}, {"value": "y", "label": "One"}]}, "2", "y"),
    ],
)
def test_what_is_typed_becomes_the_value_that_the_field_wants(field: dict[str, Any], line: str, value: object) -> None:
    assert json.dumps(typed({"name": "f"} | field, line, "en").value) == json.dumps(value)


@pytest.mark.parametrize("kind", ["number", "boolean", "signature"])
def test_what_cannot_be_a_value_is_explained_and_stands_for_itself(kind: str) -> None:
    meant = typed({"name": "f", "type": kind}, "maybe", "en")
    assert meant.value == "maybe"
    assert meant.wrongs[0].startswith(("Enter", "Answer", "Files"))


def test_nothing_that_is_said_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    draw(ShownBlock("1", "message", {"text": "\x1b[2Jhello\r\x07"}))
    assert capsys.readouterr().out == "\N{REPLACEMENT CHARACTER}[2Jhello\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\n"


@pytest.mark.parametrize(
    ("kind", "payload", "shown"),
    [
        (
            "card",
            {"title": "Lamp", "fields": [{"label": "Total", "value": "9"}, {"label": "Days", "value": ["mo", 2]}], "fallback": "A lamp"},
            ["[card]", "  title: Lamp", "  Total: 9", "  Days: mo, 2"],
        ),
        (
            "carousel",
            {"items": [{"title": "One", "url": "https://a.example"}, {"title": "Two"}]},
            ["[carousel]", "  items:", "  - title: One", "    url: https://a.example", "  - title: Two"],
        ),
        ("link", {"url": "https://a.example", "fallback": "See there"}, ["[link]", "  url: https://a.example"]),
        ("map", {"at": [1, 2], "fallback": "By the river"}, ["By the river"]),
        ("map", {"at": {"x": 1}}, ["[map]", '  at: {"x": 1}']),
    ],
)
def test_a_block_is_drawn_in_lines_or_by_its_fallback(
    kind: str, payload: dict[str, Any], shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    draw(ShownBlock("1", kind, payload))
    assert capsys.readouterr().out.splitlines() == shown
