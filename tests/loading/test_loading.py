"""Loading a flow: the same text always gives the same, the same meaning the same digest, and a large flow is no long wait."""

import re
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loading import Source, load_flow, load_flows
from engine.model import nodes
from engine.model.flow import Flow
from tests.support.pace import pace

VALID = (Path(__file__).parent / "valid" / "everything.yaml").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
EXAMPLES = {
    cls.__name__: example for cls in vars(nodes).values() if isinstance(cls, type) for example in EXAMPLE.findall(cls.__doc__ or "")
}


def load(text: str) -> Flow:
    loaded = load_flow(Source("flow.yaml", text))
    assert [str(one) for one in loaded.diagnostics] == []
    assert loaded.flow is not None
    return loaded.flow


def digest(text: str) -> str:
    return load_flow(Source("flow.yaml", text)).digest


def large(count: int) -> str:
    """A flow of many nodes of every kind, each with something to check."""
    kinds = [
        "{{type: message, text: {{en: 'Hi {{{{ vars.tries }}}} {0}', de: 'Na {{{{ vars.tries }}}} {0}'}}, next: n{1}}}",
        "{{type: ask, prompt: Q{0}?, input: select, options: [{{value: a}}, {{value: b}}], attempts: 3, on_exhausted: n{0}, next: n{1}}}",
        "{{type: switch, cases: [{{when: vars.tries > {0}, next: n{1}}}], else: n{1}}}",
        "{{type: set, values: {{tries: '{{{{ vars.tries + {0} }}}}'}}, next: n{1}}}",
        "{{type: form, title: F{0}, fields: [{{name: a{0}, type: text, validation: {{pattern: '[a-z]{{{0}}}'}}}}], next: n{1}}}",
        "{{type: http, method: GET, url: 'https://a/{{{{ vars.tries }}}}', query: {{a: [{0}]}}, on_error: {{5xx: n{1}}}, next: n{1}}}",
        "{{type: wait, any: [{{event: order.paid, match: {{id: '{{{{ vars.tries }}}}'}}}}, {{for: 1h}}], next: n{1}}}",
    ]
    lines = [f"  n{i}: " + kinds[i % len(kinds)].format(i, i + 1) for i in range(count - 1)]
    return "\n".join(["flow: large", "locales: [en, de]", "variables: {tries: 0}", "nodes:", *lines, f"  n{count - 1}: {{type: end}}", ""])


def test_a_flow_with_every_key_loads_without_a_word() -> None:
    flow = load(VALID)
    assert flow.intent_name == "all_of_it"
    assert flow.first == "greet"
    colour = flow.nodes["colour"]
    assert isinstance(colour, nodes.Ask)
    assert colour.routes == {"red": "count", "5": "count", "true": "bye"}
    assert isinstance(colour.options, list)
    assert [option.value for option in colour.options] == ["red", 5, True]


def test_a_flow_tells_which_connections_it_names_and_where() -> None:
    flow = load(VALID)
    assert flow.connections == {"bank": ("pay",)}
    assert load("flow: a\nnodes: {b: {type: end}}\n").connections == {}


def test_any_number_of_flows_may_be_started_by_the_same_event() -> None:
    texts = [f"flow: {name}\non_event: {{name: order.paid}}\nnodes: {{b: {{type: end}}}}\n" for name in ("a", "c")]
    loaded = load_flows([Source(f"{number}.yaml", text) for number, text in enumerate(texts)])
    assert [one.diagnostics for one in loaded] == [(), ()]


@pytest.mark.parametrize("key", ["event", "any", "for"])
def test_a_misspelt_key_of_a_wait_is_not_taken_for_a_missing_one(key: str) -> None:
    text = f"flow: a\nnodes:\n  b: {{type: wait, zz{key}: order.paid, match: {{id: 1}}, next: c}}\n"
    text += "  c: {type: emit, event: order.seen, data: {back: '{{ callbacks.b }}'}, next: end}\n"
    assert [one.code for one in load_flow(Source("flow.yaml", text)).diagnostics] == ["key.unknown"]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "http://127.0.0.1:8080/x",
        "https://[::1]/",
        "https://a_b.example/{{ vars.id }}",
        "https://shop.example?{{ vars.id }}",
    ],
)
def test_an_address_may_hold_data_behind_its_host(url: str) -> None:
    node = f"{{type: http, method: GET, url: '{url}', on_error: end, next: end}}"
    assert load(f"flow: a\nvariables: {{id: 1}}\noutputs: {{id: '{{{{ vars.id }}}}'}}\nnodes:\n  b: {node}\n").nodes


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_example_of_every_node_type_is_a_node_that_loads(name: str) -> None:
    example = "".join(f"    {line}\n" for line in EXAMPLES[name].splitlines())
    named = dict.fromkeys(re.findall(r"(?:next|on_exhausted|on_failed|on_error|404|other|else|routes: {[a-z]+): ([a-z_]+)", example))
    others = "".join(f"  {target}: {{type: message, text: '{{{{ vars }}}}', next: end}}\n" for target in named if target != "end")
    others = others or "  last: {type: end, result: {all: '{{ vars }}'}}\n"
    start = "  start: {type: switch, cases: [{when: 'false', next: last}], else: example}\n" if "last:" in others else ""
    variables = "variables: {tries: 0, score: 5, order_number: x, country: de, passport: {}}\n"
    flow = load(f"flow: example\n{variables}nodes:\n{start}  example:\n{example}{others}")
    assert type(flow.nodes["example"]).__name__ == name


def test_every_node_type_has_an_example() -> None:
    types = {cls.__name__ for cls in nodes.Node.__args__}
    assert types == EXAMPLES.keys()


def test_loading_the_same_text_twice_gives_the_same() -> None:
    source = Source("flow.yaml", VALID.replace("next: show", "next: shwo"))
    first, second = load_flow(source), load_flow(source)
    assert first == second
    assert first.diagnostics
    assert list(first.diagnostics) == sorted(first.diagnostics, key=lambda one: (one.line, one.column))


@pytest.mark.parametrize(
    "change",
    [
        ("# A flow", "# Another comment"),
        ("\n", "\r\n"),
        ("next: show", "next:   show   # comment"),
        ("title: {en: Everything, de: Alles}", "title: {de: Alles, 'en': \"Everything\"}"),
        ("    required: true\n", ""),
        ("payload: *card", 'payload: {title: "Order {{ inputs.order_number }}", rows: [{a: 1}, {a: "{{ vars.tries + 1 }}"}]}'),
        ("start: greet\n", ""),
        ("priority: 10", "priority: 0xA"),
    ],
)
def test_the_digest_stays_when_only_the_writing_changes(change: tuple[str, str]) -> None:
    old, new = change
    assert old in VALID
    assert digest(VALID.replace(old, new)) == digest(VALID)


@pytest.mark.parametrize(
    "change",
    [
        ("priority: 10", "priority: 11"),
        ("tries: 0,", "tries: false,"),
        ("start: greet", "start: show"),
        ("{value: a}, {value: b}", "{value: b}, {value: a}"),
        (
            'count:\n    type: set\n    values: {tries: "{{ vars.tries + 1 }}", conversation.plan: pro,',
            'count:\n    type: set\n    values: {conversation.plan: pro, tries: "{{ vars.tries + 1 }}",',
        ),
    ],
)
def test_the_digest_changes_with_the_meaning(change: tuple[str, str]) -> None:
    old, new = change
    assert old in VALID
    assert digest(VALID.replace(old, new)) != digest(VALID)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, VALID.count("\n") - 1), max_size=5), st.text(alphabet="abc #:{}[]\"'-", max_size=20))
def test_comments_and_blank_lines_anywhere_never_change_the_digest(places: list[int], comment: str) -> None:
    lines = VALID.splitlines()
    block = next(number for number, line in enumerate(lines) if line.endswith("|"))  # inside a block scalar a # is text
    for place in places:
        if not block <= place <= block + 2:
            lines[place] += f"   #{comment}"
    assert digest("\n".join(lines) + "\n\n") == digest(VALID)


def test_a_broken_flow_has_a_digest_of_what_it_holds() -> None:
    broken = "flow: a\nnodes: {a: {type: nothing}}\n"
    assert digest(broken) == digest("# comment\n" + broken)
    assert digest(broken) != digest(broken.replace("nothing", "something"))
    assert digest("a: [") != digest("b: [")


def test_a_thousand_nodes_are_loaded_and_checked_in_less_than_a_second() -> None:
    text = large(1000)
    begun = time.process_time()
    load(text)
    assert time.process_time() - begun < pace()


def test_so_are_a_thousand_that_call_wait_split_and_make_lists_under_as_many_commands() -> None:
    kinds = [
        "{{type: call, flow: small{0}, inputs: {{a: 5}}, on_failed: n{1}, next: n{1}}}",
        "{{type: ask, prompt: Q, options: {{each: vars.all, do: {{value: x}}}}, check: [{{that: value, text: No}}], next: n{1}}}",
        "{{type: split, branches: [{{weight: 1, next: n{1}}}, {{weight: 2, next: end}}]}}",
        "{{type: wait, any: [{{name: a, for: 1m}}, {{until: 2030-01-01}}], routes: {{a: n{1}}}, next: n{1}}}",
    ]
    nodes = "".join(f"  n{i}: {kinds[i % 4].format(i, i + 1)}\n" for i in range(999))
    commands = "".join(f"  - {{say: [w{i}], next: n{i}}}\n" for i in range(999))
    text = f"flow: large\nvariables: {{all: []}}\ncommands:\n{commands}nodes:\n{nodes}  n999: {{type: end}}\n"
    begun = time.process_time()
    assert load_flow(Source("large.yaml", text)).diagnostics == ()
    assert time.process_time() - begun < pace()


def test_a_thousand_flows_that_call_each_other_are_loaded_in_less_than_two_seconds() -> None:
    def small(number: int) -> Source:
        calls = [(number * factor + 1) % 1000 for factor in (7, 13)]
        text = (
            f"flow: small{number}\ninputs: {{a: {{type: integer, maximum: {number}}}}}\nnodes:\n"
            "  ask: {type: ask, prompt: 'What, {{ inputs.a }}?', timeout: {after: 5m, next: end}, next: one}\n"
            f"  one: {{type: call, flow: small{calls[0]}, inputs: {{a: 0}}, on_failed: end, next: two}}\n"
            f"  two: {{type: jump, flow: small{calls[1]}, inputs: {{a: '{{{{ vars.ask }}}}'}}}}\n"
        )
        return Source(f"small{number}.yaml", text)

    sources = [small(number) for number in range(1000)]
    begun = time.process_time()
    assert [one for loaded in load_flows(sources) for one in loaded.diagnostics] == []
    assert time.process_time() - begun < 2 * pace()


def test_twice_the_nodes_take_about_twice_the_time() -> None:
    def seconds(count: int) -> float:
        text = large(count)
        begun = time.process_time()
        load(text)
        return time.process_time() - begun

    load(large(10))
    assert min(seconds(1000) for _ in range(3)) < 6 * min(seconds(333) for _ in range(3))


def test_files_are_reported_in_the_order_in_which_they_are_given() -> None:
    end = "nodes: {last: {type: end}}\n"
    address, menu = (
        load(f"flow: x\ninputs: {{country: {{}}, boxes: {{}}, why: {{}}}}\n{end}"),
        load(f"flow: y\ninputs: {{address: {{}}}}\n{end}"),
    )
    loaded = load_flows([Source("b.yaml", "a: ["), Source("a.yaml", VALID)], {"take_address": address, "main_menu": menu})
    assert [one.source.name for one in loaded] == ["b.yaml", "a.yaml"]
    assert loaded[0].flow is None
    assert loaded[1].flow == load(VALID)


def test_a_loaded_flow_can_be_stored_and_read_again_by_its_types_alone() -> None:
    flow = load(VALID.replace("after: \"{{ '10m' }}\"", "after: 10m"))
    assert msgspec.json.decode(msgspec.json.encode(flow), type=Flow) == flow


@pytest.mark.parametrize(
    "schema",
    [
        "{type: string, pattern: (?=a)b}",
        "{$ref: https://schemas.example/a}",
        "{items: {allOf: [{$ref: '#'}, {$ref: '#'}]}}",
        "{$ref: '#/$defs/a', $defs: {a: {allOf: [{$ref: '#/$defs/b'}, {$ref: '#/$defs/b'}]}, b: {type: string}}}",
        "{$dynamicRef: '#a', $dynamicAnchor: a}",
    ],
)
def test_an_inputs_schema_is_one_that_every_server_checks_in_bounded_time(schema: str) -> None:
    text = f"flow: a\ninputs:\n  x: {schema}\nnodes: {{n: {{type: message, text: Hi, next: end}}}}\n"
    assert [found.code for found in load_flow(Source("a.yaml", text)).diagnostics] == ["value.wrong"]


def test_an_inputs_schema_may_refer_to_its_own_definitions() -> None:
    schema = "{type: array, items: {$ref: '#/$defs/size'}, $defs: {size: {type: integer}}}"
    text = f"flow: a\ninputs:\n  x: {schema}\nnodes: {{n: {{type: message, text: Hi, next: end}}}}\n"
    assert load_flow(Source("a.yaml", text)).diagnostics == ()
