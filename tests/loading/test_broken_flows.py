"""A folder of broken flows: each says in its first lines where which problem is, and nothing else may be found.

Where message and hint stand behind the code, they are told word for word.
"""

import re
from pathlib import Path

import pytest

from engine.loading import CODES, Source, load_flow, load_flows, read_yaml

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))
EXPECTED = re.compile(r"^# expect: ([0-9]+):([0-9]+) ([a-z_.]+)(?: (.+))?$", re.MULTILINE)
VALID = (HERE / "valid" / "everything.yaml").read_text(encoding="utf-8")
OPTIONAL = [
    "variables",
    "inputs",
    "outputs",
    "save",
    "input",
    "validation",
    "routes",
    "attempts",
    "on_exhausted",
    "max",
    "commands",
    "reply",
    "use_trigger_text",
    "check",
    "field",
    "remind",
    "timeout",
    "any",
    "until",
    "on_expired",
    "on_failed",
    "on_event",
    "match",
    "query",
    "headers",
    "json",
    "body",
    "connection",
    "idempotency_key",
    "retries",
    "repeatable",
    "on_error",
]
NEIGHBOURS = {
    flow.flow: flow
    for path in sorted((HERE / "neighbours").glob("*.yaml"))
    if (flow := load_flow(Source(path.name, path.read_text(encoding="utf-8"))).flow) is not None
}
"""Flows that the broken ones call, and that call them."""
SOUND = "nodes: {hello: {type: message, text: Hi, next: end}}\n"


def expected(text: str) -> list[tuple[int, int, str]]:
    return [(int(line), int(column), code) for line, column, code, _ in EXPECTED.findall(text)]


def found(text: str | bytes) -> list[tuple[int, int, str]]:
    return [(one.line, one.column, one.code) for one in load_flow(Source("flow.yaml", text), NEIGHBOURS).diagnostics]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_problem_is_reported_once_at_its_exact_place_and_nothing_else_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert expected(text)
    assert found(text) == expected(text)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_the_words_are_those_that_are_expected(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    words = [said for *_, said in EXPECTED.findall(text)]
    told = load_flow(Source("flow.yaml", text), NEIGHBOURS).diagnostics
    assert [f"{one.message} ({one.hint})" if one.hint else one.message for one, said in zip(told, words, strict=True) if said] == [
        said for said in words if said
    ]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_neither_message_nor_hint_is_a_sentence_with_a_capital_and_a_full_stop(path: Path) -> None:
    for one in load_flow(Source("flow.yaml", path.read_text(encoding="utf-8")), NEIGHBOURS).diagnostics:
        for said in (one.message, one.hint or ""):
            assert not re.match(r"[A-Z][a-z ]", said)
            assert not re.search(r"[^.]\.$", said)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_places_are_the_same_with_the_line_ends_of_another_system_and_a_byte_order_mark(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert found(text.replace("\n", "\r\n")) == expected(text)
    assert found(b"\xef\xbb\xbf" + text.encode()) == expected(text)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_flow_with_an_error_is_not_given_out_and_one_with_warnings_is(path: Path) -> None:
    loaded = load_flow(Source(path.name, path.read_text(encoding="utf-8")), NEIGHBOURS)
    errors = [one for one in loaded.diagnostics if one.severity == "error"]
    assert (loaded.flow is None) == bool(errors)


@pytest.mark.parametrize("by", [1, -1])
def test_a_line_that_is_indented_by_a_space_too_many_or_too_few_is_told_by_its_level(by: int) -> None:
    lines = VALID.splitlines(keepends=True)
    hints = []
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#") and (by > 0 or line.startswith(" ")):
            moved = "".join([*lines[:number], " " + line if by > 0 else line[1:], *lines[number + 1 :]])
            hints += [one.hint or "" for one in read_yaml(Source("flow.yaml", moved)).diagnostics if one.code == "yaml.syntax"]
    assert len(hints) > len(lines) / 2
    assert [hint for hint in hints if "indented by" not in hint] == []


def test_the_neighbours_are_sound() -> None:
    assert len(NEIGHBOURS) == len([*(HERE / "neighbours").glob("*.yaml")])


def test_the_folder_and_the_tests_below_reach_every_code() -> None:
    reached = {code for path in BROKEN for _, _, code in expected(path.read_text(encoding="utf-8"))}
    below = {"yaml.encoding", "key.unavailable", "flow.too_large", "flow.duplicate", "intent.duplicate", "connection.unknown"}
    assert reached | below == CODES.keys()


@pytest.mark.parametrize("key", OPTIONAL)
def test_an_optional_key_that_is_misspelt_is_the_only_problem_wherever_it_stands(key: str) -> None:
    places = [found.end() for found in re.finditer(rf"(?m)(?:^|(?<=[ {{])){key}(?=:\s)", VALID)]
    assert places
    for place in places:
        assert [one.code for one in load_flow(Source("flow.yaml", VALID[:place] + "zz" + VALID[place:])).diagnostics] == ["key.unknown"]


def test_a_problem_reads_as_file_line_column_severity_code_message_and_hint() -> None:
    loaded = load_flow(Source("order.yaml", "flow: order\ntitel: Hi\n" + SOUND))
    assert [str(one) for one in loaded.diagnostics] == [
        "order.yaml:2:1: error key.unknown there is no key `titel` here (did you mean `title`?)"
    ]


def test_text_that_is_not_utf_8_is_reported_at_its_first_bad_byte() -> None:
    assert found(b"flow: a\ntitle: \xc3\xbc\xff\n") == [(2, 9, "yaml.encoding")]
    assert found("flow: a".encode("utf-16")) == [(1, 1, "yaml.encoding")]


def test_a_file_may_have_512_kib_and_no_byte_more() -> None:
    head = "flow: a\n" + SOUND
    full = head + "#" + "x" * (524_288 - len(head) - 1)
    assert found(full) == []
    assert found(full + "x") == [(1, 1, "flow.too_large")]
    assert found(full[:-1] + "ü") == [(1, 1, "flow.too_large")]


def test_a_flow_may_have_1000_nodes_and_the_one_too_many_is_named() -> None:
    def nodes(count: int) -> str:
        return "flow: a\nnodes:\n" + "".join(f"  n{i}: {{type: message, text: Hi, next: n{i + 1}}}\n" for i in range(count - 1))

    assert found(nodes(1000) + "  n999: {type: end}\n") == []
    assert found(nodes(1001) + "  n1000: {type: end}\n") == [(1003, 3, "flow.too_large")]


def test_values_templates_and_patterns_of_one_file_are_bounded() -> None:
    many = "flow: a\nnodes:\n  a: {type: end, result: {x: [" + "1," * 50_000 + "]}}\n"
    assert [code for _, _, code in found(many)] == ["flow.too_large"]
    templates = "flow: a\nnodes:\n  a: {type: end, result: {x: [" + "'{{ 1 }}'," * 5_001 + "]}}\n"
    assert [code for _, _, code in found(templates)] == ["flow.too_large"]
    fields = "".join(f"      - {{type: text, name: f{i}, validation: {{pattern: a{i}}}}}\n" for i in range(1_001))
    patterns = f"flow: a\nnodes:\n  a:\n    type: form\n    title: Hi\n    next: end\n    fields:\n{fields}"
    assert [code for _, _, code in found(patterns)] == ["flow.too_large"]


def test_a_flow_id_that_is_taken_is_reported_at_the_second_place() -> None:
    first, second = load_flows([Source("a.yaml", "flow: twin\n" + SOUND), Source("b.yaml", "# second\nflow: twin\n" + SOUND)])
    assert first.diagnostics == ()
    assert [str(one) for one in second.diagnostics] == ["b.yaml:2:7: error flow.duplicate the flow `twin` stands in a.yaml too"]


def test_an_intent_that_is_taken_is_reported_at_the_second_place() -> None:
    first, second, third = load_flows(
        [
            Source("a.yaml", "flow: a\nintent: {name: hello}\n" + SOUND),
            Source("b.yaml", "flow: b\nintent: {label: Hi, name: hello}\n" + SOUND),
            Source("hello.yaml", "flow: hello\nintent: {label: Hi}\n" + SOUND),
        ]
    )
    assert first.diagnostics == ()
    assert [(one.line, one.column, one.code) for one in second.diagnostics] == [(2, 27, "intent.duplicate")]
    assert [(one.line, one.column, one.code) for one in third.diagnostics] == [(2, 1, "intent.duplicate")]


def test_published_flows_keep_their_intents_except_from_a_file_of_the_same_flow() -> None:
    published = load_flow(Source("a.yaml", "flow: a\nintent: {name: hello}\n" + SOUND)).flow
    assert published is not None
    again = load_flow(Source("a.yaml", "flow: a\nintent: {name: hello}\n" + SOUND), {"a": published})
    other = load_flow(Source("b.yaml", "flow: b\nintent: {name: hello}\n" + SOUND), {"a": published})
    assert again.diagnostics == ()
    assert [one.code for one in other.diagnostics] == ["intent.duplicate"]


def test_a_connection_that_is_not_there_is_reported_where_one_knows_which_there_are() -> None:
    node = "  a: {type: http, method: GET, url: /x, connection: shopp, on_error: end, next: end}\n"
    source = Source("a.yaml", f"flow: a\nnodes:\n{node}")
    assert load_flows([source])[0].diagnostics == ()
    assert [str(one) for one in load_flows([source], connections=["shop"])[0].diagnostics] == [
        "a.yaml:3:53: error connection.unknown there is no connection `shopp` (did you mean `shop`?)"
    ]
    [problem] = load_flows([source], connections=[])[0].diagnostics
    assert problem.hint == "make it by `baton connections set shopp`"
