"""The panel for authors: the graph of the flow behind the conversation, and the way that was taken through it."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.browser

MARKED = re.compile(r"\bvisited\b")
HERE = re.compile(r"\bhere\b")
TAKEN = re.compile(r"\btaken\b")
BELOW = """(() => {
    const bounds = one => document.querySelector(one).getBoundingClientRect();
    return bounds("#way").top >= bounds("main").bottom - 1;
})()"""


@pytest.fixture
def desk(context: BrowserContext) -> Page:
    """The page on a desk's screen."""
    page = context.new_page()
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto("/")
    page.get_by_role("button", name="Plan a visit").wait_for()
    return page


def node(page: Page, name: str) -> Locator:
    return page.locator(f'[data-node="{name}"]')


def edge(page: Page, source: str, name: str) -> Locator:
    return page.locator(f'[data-from="{source}"][data-edge="{name}"]')


def begin(page: Page) -> None:
    page.get_by_role("button", name="Plan a visit").click()
    page.get_by_role("button", name="With friends").wait_for()


def say(page: Page, text: str) -> None:
    line = page.locator("#answer input, #answer textarea").first
    line.fill(text)
    line.press("Enter")


def steps(page: Page) -> list[str]:
    texts: list[str] = page.get_by_role("list", name="The way taken").locator(".step").all_inner_texts()
    return [" ".join(text.split()[:-1]) for text in texts]  # the last word is the time


def must_come_true(page: Page, condition: str) -> None:
    """What scrolling or a new layout brings about, waited for; the page's policy forbids the browser to poll by itself."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"this did not come true: {condition}")


def test_the_node_where_the_run_stands_is_marked(desk: Page) -> None:
    begin(desk)
    expect(node(desk, "company")).to_have_class(HERE)
    expect(desk.locator(".here")).to_have_count(1)
    expect(edge(desk, "(start)", "starts")).to_have_class(TAKEN)
    expect(node(desk, "day")).not_to_have_class(MARKED)


def test_the_way_is_marked_as_it_is_taken(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="Alone").click()
    expect(node(desk, "day")).to_have_class(HERE)
    expect(edge(desk, "company", "option:alone")).to_have_class(TAKEN)
    expect(edge(desk, "company", "option:friends")).not_to_have_class(TAKEN)
    say(desk, "Friday")
    expect(node(desk, "end")).to_have_class(MARKED)
    expect(edge(desk, "done", "next")).to_have_class(TAKEN)
    expect(desk.locator(".here")).to_have_count(0)


def test_a_deadline_that_passes_is_seen_without_doing_anything(desk: Page) -> None:
    desk.get_by_role("button", name="In a hurry").click()
    expect(node(desk, "quick")).to_have_class(HERE)
    expect(node(desk, "calm")).to_have_class(HERE, timeout=15_000)
    expect(edge(desk, "quick", "timeout")).to_have_class(TAKEN)
    expect(edge(desk, "quick", "next")).not_to_have_class(TAKEN)


def test_inside_a_called_flow_that_flow_is_shown_and_its_caller_can_be_picked(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="With friends").click()
    expect(node(desk, "number")).to_have_class(HERE)
    flows = desk.get_by_role("navigation", name="Flows of this run").get_by_role("button")
    expect(flows).to_have_count(2)
    expect(flows.nth(0)).to_contain_text("visit v1")
    expect(flows.nth(1)).to_have_attribute("aria-pressed", "true")
    flows.nth(0).click()
    expect(node(desk, "ask_guests")).to_have_class(re.compile(r"\bcalling\b"))
    expect(edge(desk, "ask_guests", "calls")).to_have_class(TAKEN)
    expect(node(desk, "number")).to_have_count(0)
    expect(flows.nth(0)).to_have_attribute("aria-pressed", "true")


def test_back_from_a_called_flow_the_caller_is_shown_and_the_other_can_be_picked(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="With friends").click()
    expect(node(desk, "number")).to_have_class(HERE)
    say(desk, "3")
    expect(node(desk, "day")).to_have_class(HERE)
    expect(edge(desk, "ask_guests", "next")).to_have_class(TAKEN)
    desk.get_by_role("button", name="guests v1").click()
    expect(edge(desk, "number", "next")).to_have_class(TAKEN)
    expect(desk.locator(".here")).to_have_count(0)


def test_a_command_is_marked_where_it_leads(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="Alone").click()
    expect(node(desk, "day")).to_have_class(HERE)
    say(desk, "bye")
    expect(edge(desk, "(commands)", "command:bye")).to_have_class(TAKEN)
    expect(node(desk, "(commands)")).to_have_class(MARKED)
    expect(edge(desk, "day", "next")).not_to_have_class(TAKEN)


def test_the_way_stands_there_in_words(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="With friends").click()
    expect(node(desk, "number")).to_have_class(HERE)
    assert steps(desk) == [
        "visit / company waits",
        "company option:friends → ask_guests",
        "ask_guests calls another flow",
        "guests / number waits",
    ]
    expect(desk.get_by_role("list", name="The way taken")).to_contain_text("It stands at number.")


def test_the_graph_has_a_name_and_a_description(desk: Page) -> None:
    begin(desk)
    graph = desk.get_by_role("img", name="A visit")
    expect(graph).to_be_visible()
    assert "company leads to day (Alone)" in graph.locator("desc").inner_html()


def test_the_present_node_is_in_sight_however_large_the_graph_is(desk: Page) -> None:
    begin(desk)
    for _ in range(3):
        desk.get_by_role("button", name="Larger").click()
    desk.get_by_role("button", name="Alone").click()
    expect(node(desk, "day")).to_have_class(HERE)
    must_come_true(
        desk,
        """() => {
            const seen = document.querySelector(".graph-window").getBoundingClientRect();
            const at = document.querySelector(".here").getBoundingClientRect();
            return at.top >= seen.top && at.bottom <= seen.bottom && at.left >= seen.left && at.right <= seen.right;
        }""",
    )


def test_the_graph_can_be_made_as_small_as_the_window(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="The whole graph").click()
    size = desk.locator(".graph-window").evaluate("one => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight]")
    assert max(size) <= 1


def test_after_a_reload_the_graph_is_as_it_was(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="Alone").click()
    expect(node(desk, "day")).to_have_class(HERE)
    desk.reload()
    expect(node(desk, "day")).to_have_class(HERE)
    expect(edge(desk, "company", "option:alone")).to_have_class(TAKEN)


def test_starting_again_clears_the_panel(desk: Page) -> None:
    begin(desk)
    desk.get_by_role("button", name="End conversation").click()
    expect(node(desk, "company")).to_have_class(MARKED)
    desk.get_by_role("button", name="Start again").click()
    expect(desk.locator(".flow-graph")).to_be_hidden()
    begin(desk)
    expect(node(desk, "company")).to_have_class(HERE)


def test_the_panel_opens_and_closes_by_keyboard_and_stays_so(desk: Page) -> None:
    toggle = desk.get_by_role("button", name="Flow graph")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    toggle.focus()
    desk.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    expect(desk.locator("#way-body")).to_be_hidden()
    desk.reload()
    expect(toggle).to_have_attribute("aria-expanded", "false")


def test_the_graph_can_be_scrolled_by_keyboard(desk: Page) -> None:
    begin(desk)
    for _ in range(4):
        desk.get_by_role("button", name="Larger").click()
    window = desk.get_by_role("group", name="Graph of the flow visit")
    window.evaluate("one => one.scrollTo({top: 0, behavior: 'instant'})")
    window.focus()
    desk.keyboard.press("End")
    must_come_true(desk, "document.querySelector('.graph-window').scrollTop > 0")


def test_on_a_phone_the_panel_is_below_and_closed(page: Page) -> None:
    toggle = page.get_by_role("button", name="Flow graph")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    begin(page)
    must_come_true(page, BELOW)
    toggle.click()
    expect(node(page, "company")).to_have_class(HERE)
    expect(node(page, "company")).to_be_visible()


@pytest.mark.parametrize("width", [320, 375, 768, 1200])
def test_the_open_panel_never_makes_the_page_scroll_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    page.get_by_role("button", name="Flow graph").click()
    begin(page)
    page.get_by_role("button", name="With friends").click()
    expect(node(page, "number")).to_have_class(HERE)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_on_a_phone_the_question_stays_in_sight_above_the_open_panel(page: Page) -> None:
    page.get_by_role("button", name="Flow graph").click()
    begin(page)
    page.get_by_role("button", name="Alone").click()
    expect(node(page, "day")).to_have_class(HERE)
    expect(page.get_by_role("textbox").first).to_be_in_viewport()


def test_the_strict_policy_of_the_page_holds_for_the_graph(desk: Page) -> None:
    refused: list[str] = []
    desk.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
    begin(desk)
    expect(node(desk, "company")).to_have_class(HERE)
    assert refused == []
    assert desk.locator("style, svg script").count() == 0
    assert desk.locator(".here .shape").evaluate("one => getComputedStyle(one).strokeWidth") != "1px"


LIGHT = """colors => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const light = color => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const both = colors.map(light);
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_graph_can_be_read_by_day_and_by_night(browser: Browser, server: str, scheme: Literal["light", "dark"]) -> None:
    page = browser.new_page(base_url=server, color_scheme=scheme, reduced_motion="reduce", viewport={"width": 1200, "height": 800})
    page.goto("/")
    begin(page)
    expect(node(page, "company")).to_have_class(HERE)
    fill = "(one, part) => getComputedStyle(one.querySelector(part)).fill"
    ratios = {
        (kind, number, part): page.evaluate(LIGHT, [group.evaluate(fill, part), group.evaluate(fill, ".shape")])
        for kind in ("here", "node:not(.visited)")
        for number, group in enumerate(page.locator(f".{kind}").all())
        for part in (".kind", ".name", ".text")
        if group.locator(part).count() and group.locator(".kind").count()
    }
    page.close()
    assert {place[0] for place in ratios} == {"here", "node:not(.visited)"}
    assert {place: round(ratio, 2) for place, ratio in ratios.items() if ratio < 4.5} == {}
