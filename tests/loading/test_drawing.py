"""Any flow can be drawn, as Mermaid and as SVG, whatever its texts hold and whatever its shape."""

import re
import time
from itertools import combinations, pairwise
from operator import mul
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loading import Source, load_flow
from engine.loading.drawing import STYLE, Edge, draw_mermaid, draw_svg, flow_graph
from engine.loading.drawing.layers import layered
from engine.loading.drawing.layout import lay_out
from engine.loading.drawing.ordering import crossings, order
from engine.loading.drawing.words import folded, plain, width
from engine.model.flow import Flow

HERE = Path(__file__).parent
GOLDEN = HERE / "drawing"
WRITTEN = sorted(
    [*(HERE / "valid").glob("*.yaml"), *(path for path in (HERE.parents[1] / "flows").glob("*.yaml") if ".test." not in path.name)]
)
SVG = "{http://www.w3.org/2000/svg}"


def made(nodes: dict[str, Any], **keys: Any) -> Flow:
    """A flow as the loader would make it, of nodes that need not stand in a file."""
    return msgspec.convert({"flow": "made", "nodes": nodes, **keys}, Flow)


def said(text: Any, target: str = "end") -> dict[str, Any]:
    return {"type": "message", "text": text, "next": target}


def asked(target: str, **keys: Any) -> dict[str, Any]:
    return {"type": "ask", "prompt": "And then?", "next": target, **keys}


def golden(name: str) -> Flow:
    return msgspec.convert(yaml.safe_load((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")), Flow)


def parsed(flow: Flow) -> ET.Element:
    return ET.fromstring(draw_svg(flow))  # noqa: S314 - our own text


def edges_of(flow: Flow, source: str) -> dict[str, str]:
    return {edge.name: edge.target for edge in flow_graph(flow).edges if edge.source == source}


def assert_drawn_whole(flow: Flow) -> None:
    """Every node once, in an SVG that is XML; every edge between two of them."""
    svg = parsed(flow)
    nodes = [name for group in svg.iter(f"{SVG}g") if (name := group.get("data-node"))]
    assert sorted(nodes) == sorted(set(nodes))
    assert set(flow.nodes) <= set(nodes)
    edges = [group for group in svg.iter(f"{SVG}g") if group.get("data-edge")]
    assert len(edges) == len(flow_graph(flow).edges)
    assert {end for edge in edges for end in (edge.get("data-from"), edge.get("data-to"))} <= set(nodes)
    mermaid = draw_mermaid(flow).splitlines()
    assert mermaid[0] == "flowchart TD"
    assert len(mermaid) == 1 + len(nodes) + len(edges)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_every_flow_of_ours_can_be_drawn(path: Path) -> None:
    flow = load_flow(Source(path.name, path.read_text(encoding="utf-8"))).flow
    if flow is None:
        pytest.skip("it does not load")
    assert_drawn_whole(flow)


@pytest.mark.parametrize("name", ["orders", "whole", "outside"])
def test_drawings_are_as_they_were(name: str) -> None:
    flow = golden(name)
    assert draw_mermaid(flow) == (GOLDEN / f"{name}.mmd").read_text(encoding="utf-8")
    assert draw_svg(flow, styled=False) == (GOLDEN / f"{name}.svg").read_text(encoding="utf-8")


def test_every_way_out_of_a_node_has_the_name_that_a_trace_gives_it() -> None:
    flow = golden("whole")
    assert edges_of(flow, "menu") == {"option:address": "take", "option:2": "offer", "option:again": "menu", "timeout": "later"}
    assert edges_of(flow, "take") == {"calls": "flow:take_address", "next": "menu", "expired": "later", "error": "sorry"}
    assert edges_of(flow, "offer") == {"branch:0": "usual", "branch:1": "fresh"}
    assert edges_of(flow, "pick") == {"route:morning": "menu", "next": "colour", "timeout": "later"}
    assert edges_of(flow, "colour") == {"route:red": "fetch", "next": "size"}
    assert edges_of(flow, "size") == {"next": "fetch"}
    assert edges_of(flow, "fetch") == {"next": "end", "error": "sorry"}
    assert edges_of(flow, "out") == {"jumps": "flow:main_menu"}
    assert edges_of(flow, "person") == {}
    assert edges_of(flow, "(commands)") == {"command:agent": "person"}
    assert edges_of(flow, "(start)") == {"starts": "menu"}
    assert edges_of(golden("orders"), "is_known") == {"case:0": "found", "case:1": "number", "else": "lost"}
    assert edges_of(golden("orders"), "number") == {"next": "is_known", "exhausted": "lost", "timeout": "end"}
    assert edges_of(golden("orders"), "more") == {"option:again": "number", "option:false": "end"}


def test_a_flow_that_events_start_says_so_and_each_failure_has_a_way_of_its_own() -> None:
    edges = flow_graph(golden("outside")).edges
    assert Edge("(start)", "fetch", "starts", "on order.placed") in edges
    assert [(edge.label, edge.target) for edge in edges if edge.source == "fetch" and edge.name == "error"] == [
        ("404", "unknown"),
        ("5xx", "unknown"),
        ("other", "refused"),
    ]
    assert edges_of(golden("outside"), "read") == {"next": "told", "error": "refused", "timeout": "refused"}
    assert edges_of(golden("outside"), "first") == {"route:sent": "read", "next": "refused"}
    assert edges_of(golden("outside"), "told") == {"next": "end"}


def test_what_has_one_way_out_needs_no_label_for_it() -> None:
    graph = flow_graph(golden("orders"))
    assert Edge("hello", "number", "next", "") in graph.edges
    assert Edge("number", "is_known", "next", "next") in graph.edges


def test_texts_are_in_the_language_of_the_flow() -> None:
    graph = flow_graph(golden("orders"))
    assert graph.title == "Where is my order?"
    assert next(vertex.text for vertex in graph.vertices if vertex.id == "hello").startswith("Hello! <b>Let's")


def test_a_flow_that_is_entered_from_two_nodes_is_one_box_of_another_shape() -> None:
    svg = draw_svg(golden("whole"))
    assert svg.count('data-node="flow:take_address"') == 1
    assert draw_mermaid(golden("whole")).count("f_take_address[[") == 1


def test_a_drawing_says_what_it_is_to_those_who_cannot_see_it() -> None:
    svg = parsed(golden("orders"))
    assert svg.get("role") == "img"
    named = {element.get("id"): element.text or "" for element in (svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")) if element is not None}
    assert " ".join(str(name) for name in named) == svg.get("aria-labelledby")
    title, description = named.values()
    assert title == "Where is my order?"
    assert description.startswith("The flow orders begins at hello; hello leads to number;")
    assert "number leads to is_known (next), lost (exhausted), end (timeout 10m)" in description


def test_a_drawing_stands_alone_by_day_and_by_night() -> None:
    svg = draw_svg(golden("orders"))
    assert STYLE in svg
    assert "prefers-color-scheme: dark" in STYLE
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "<style>" not in draw_svg(golden("orders"), styled=False)


SHAPES = {"svg", "title", "desc", "style", "rect", "g", "path", "circle", "text"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"] --> evil["',
    "%%{init: {'theme': 'dark'}}%%",
    "1. a list\n- of things\n# and headings",
    "end; class graph subgraph",
    "]]>--&amp;&#0;",
    "\x00\x08\ud800\ufffe\u202eturned",
    "`code` #35; |pipes| \\ {{ vars.x }}",
    "",
    "   ",
    "x" * 5_000,
    "日本語のとても長い文章です" * 20,
    "👨\u200d👩\u200d👧 e\u0301",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_ever_more_than_a_text(text: str) -> None:
    options = [{"value": text or "none", "label": text, "next": "b"}]
    flow = made(
        {"a": {"type": "choice", "prompt": text, "options": options}, "b": said(text)}, title=text, commands=[{"say": [text], "next": "b"}]
    )
    assert_drawn_whole(flow)
    svg = parsed(flow)
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {
        "svg",
        "title",
        "desc",
        "style",
        "rect",
        "g",
        "path",
        "circle",
        "text",
    }
    for line in draw_mermaid(flow).splitlines()[1:]:
        quoted = line.split('"')[1::2]
        assert line.count('"') in {0, 2}
        assert not any(set(inner.replace("<br/>", "")) & set('<>{}[]()|`\\%&"') for inner in quoted)


def test_ids_that_are_words_of_mermaid_are_ids() -> None:
    drawn = draw_mermaid(made({"class": said("a", "end_"), "end_": said("b", "graph"), "graph": said("c")}))
    assert "n_class --> n_end_" in drawn
    assert "n_graph --> n_end" in drawn


texts = st.text(max_size=40)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow of questions, however its nodes lead to one another."""
    count = draw(st.integers(1, 14))
    target = st.sampled_from([*(f"n{number}" for number in range(count)), "end"])
    nodes = {}
    for number in range(count):
        routes = draw(st.dictionaries(st.text("abc", min_size=1, max_size=3), target, max_size=3))
        timeout = draw(st.none() | target)
        keys = {} if timeout is None else {"timeout": {"after": "5m", "next": timeout}}
        nodes[f"n{number}"] = {**asked(draw(target), routes=routes, **keys), "prompt": draw(texts)}
    return made(nodes, start=draw(st.sampled_from([*nodes])))


@settings(max_examples=60, deadline=None)
@given(flows())
def test_any_flow_can_be_drawn_whole(flow: Flow) -> None:
    assert_drawn_whole(flow)


@settings(max_examples=60, deadline=None)
@given(flows())
def test_boxes_and_labels_never_lie_on_one_another(flow: Flow) -> None:
    graph = flow_graph(flow)
    labels = {number: (40.0, 18.0) for number, edge in enumerate(graph.edges) if edge.label}
    layout = lay_out(graph, {vertex.id: (120.0, 60.0) for vertex in graph.vertices}, labels)
    areas = [(x - 60, y, x + 60, y + 60) for x, y in layout.boxes.values()]
    areas += [(x - 20, y, x + 20, y + 18) for x, y in layout.labels.values()]
    for one, other in combinations(areas, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for left, top, right, bottom in areas:
        assert min(left, top) >= -0.1
        assert right <= layout.size[0] + 0.1
        assert bottom <= layout.size[1] + 0.1


@settings(max_examples=60, deadline=None)
@given(flows())
def test_every_edge_leads_from_the_foot_of_its_source_to_the_head_of_its_target(flow: Flow) -> None:
    graph = flow_graph(flow)
    layout = lay_out(graph, {vertex.id: (120.0, 60.0) for vertex in graph.vertices}, {})
    for edge, path in zip(graph.edges, layout.paths, strict=True):
        numbers = [float(number) for number in path.replace("C", " ").replace("V", " ").removeprefix("M").split()]
        across, down = layout.boxes[edge.source]
        assert numbers[:2] == pytest.approx([across, down + 60], abs=0.1)
        down = layout.boxes[edge.target][1]
        assert numbers[-1] == pytest.approx(down, abs=0.1)


def points_of(path: str) -> list[tuple[float, float]]:
    """Points along a path, near enough to each other that none can jump over a box."""
    across, down = 0.0, 0.0
    found: list[tuple[float, float]] = []
    for kind, rest in re.findall(r"([MVC])([^MVC]+)", path):
        numbers = [float(number) for number in rest.split()]
        if kind == "M":
            across, down = numbers
        elif kind == "V":
            found += [(across, down + (numbers[0] - down) * step / 50) for step in range(51)]
            down = numbers[0]
        else:
            (x1, y1), (x2, y2), (x3, y3) = zip(numbers[::2], numbers[1::2], strict=True)
            for t in (step / 50 for step in range(51)):
                shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                xs, ys = (across, x1, x2, x3), (down, y1, y2, y3)
                found.append((sum(map(mul, shares, xs)), sum(map(mul, shares, ys))))
            across, down = x3, y3
    return found


def hits(flow: Flow) -> list[tuple[str, float, float]]:
    """Where a line runs through a box, or out of the drawing."""
    graph = flow_graph(flow)
    labels = {number: (40.0, 18.0) for number, edge in enumerate(graph.edges) if edge.label}
    layout = lay_out(graph, {vertex.id: (120.0, 60.0) for vertex in graph.vertices}, labels)
    points = [point for path in layout.paths for point in points_of(path)]
    inside = [
        (name, *point) for point in points for name, (x, y) in layout.boxes.items() if abs(point[0] - x) < 59 and y < point[1] - 1 < y + 58
    ]
    return inside + [("", *point) for point in points if not -1 <= point[0] <= layout.size[0] + 1]


@settings(max_examples=25, deadline=None)
@given(flows())
def test_no_line_ever_crosses_a_box(flow: Flow) -> None:
    assert hits(flow) == []


@pytest.mark.parametrize("name", ["orders", "whole", "outside"])
def test_lines_that_find_no_room_run_beside_the_drawing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.loading.drawing.layers._MOST_SLOTS", 0)
    assert hits(golden(name)) == []


@settings(max_examples=60, deadline=None)
@given(flows())
def test_every_line_goes_from_one_rank_to_the_next_and_sorting_loses_nobody(flow: Flow) -> None:
    graph = flow_graph(flow)
    layers = layered(graph, {vertex.id: 100.0 for vertex in graph.vertices}, {})
    for upper, lowers in enumerate(layers.below):
        assert all(layers.slots[lower].rank == layers.slots[upper].rank + 1 for lower in lowers)
    before = [sorted(rank) for rank in layers.ranks]
    order(layers)
    assert [sorted(rank) for rank in layers.ranks] == before


def test_the_usual_way_leads_straight_down() -> None:
    chain = [f"n{number}" for number in range(6)]
    flow = made({name: said("x", target) for name, target in pairwise([*chain, "end"])})
    graph = flow_graph(flow)
    layout = lay_out(graph, {vertex.id: (120.0, 60.0) for vertex in graph.vertices}, {})
    assert {across for across, _ in layout.boxes.values()} == {60.0}
    heights = [layout.boxes[name][1] for name in chain]
    assert heights == sorted(heights)


def test_two_branches_that_need_not_cross_do_not() -> None:
    flow = made({"a": asked("b", routes={"x": "c", "y": "d"}), "b": said("b", "d"), "c": said("c", "e"), "d": said("d"), "e": said("e")})
    layers = layered(flow_graph(flow), {vertex.id: 100.0 for vertex in flow_graph(flow).vertices}, {})
    order(layers)
    assert crossings(layers) == 0


MANY = 1_000


def long_chain() -> dict[str, Any]:
    nodes = {f"n{number}": asked(f"n{number + 1}", timeout={"after": "5m", "next": "gone"}) for number in range(MANY - 1)}
    return {**nodes, f"n{MANY - 2}": asked("gone"), "gone": said("Gone.")}


def tangle() -> dict[str, Any]:
    def away(number: int, step: int) -> str:
        return f"n{(number * step + 7) % MANY}"

    routes = {number: {f"r{step}": away(number, step) for step in (3, 7, 411)} for number in range(MANY)}
    return {f"n{number}": asked(f"n{number + 1}" if number < MANY - 1 else "end", routes=routes[number]) for number in range(MANY)}


def fan() -> dict[str, Any]:
    options = [{"value": number, "next": f"n{number}"} for number in range(MANY - 1)]
    leaves = {f"n{number}": said("x", "menu" if number % 2 else "end") for number in range(MANY - 1)}
    return {"menu": {"type": "choice", "prompt": "?", "options": options}, **leaves}


@pytest.mark.parametrize("nodes", [long_chain, tangle, fan])
def test_a_thousand_nodes_are_drawn_within_two_seconds(nodes: Any) -> None:
    flow = made(nodes())
    assert len(flow.nodes) == MANY
    began = time.process_time()
    drawn = draw_svg(flow)
    draw_mermaid(flow)
    assert time.process_time() - began < 2
    assert len(drawn) < 8_000_000


def test_a_text_is_folded_at_words_and_cut_where_it_is_too_long() -> None:
    assert folded("one two three", 10, width("one two", 10) + 1, 2) == ["one two", "three"]
    (only,) = folded("one two three four", 10, width("one two", 10) + 1, 1)
    assert only.startswith("one t")
    assert only.endswith("…")
    assert all(width(line, 10) <= 60 for line in folded("incomprehensibilities" * 3, 10, 60, 2))
    assert folded("", 10, 60, 2) == []


def test_what_cannot_be_seen_is_left_out_of_a_text() -> None:
    assert plain(" a\n\tb\u202ec\x00 \ud800d ") == "a b c d"
    assert plain("👨\u200d👩") == "👨\u200d👩"
