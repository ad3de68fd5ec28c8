"""The page by keyboard alone, on narrow screens, in the dark, and under a strict policy."""

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

WIDTHS = (320, 360, 768, 1200)


def focused_name(page: Page) -> str:
    name: str = page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()")
    return name


def tab_to(page: Page, name: str) -> None:
    for _ in range(20):
        if focused_name(page).startswith(name):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{name} was not reached by the Tab key; the focus is at {focused_name(page)}")


def overflow(page: Page) -> int:
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def contrast(page: Page, selector: str) -> float:
    """WCAG's contrast of an element's text with the first opaque ground behind it."""
    ratio: float = page.locator(selector).first.evaluate(
        """element => {
            const channels = color => {
                const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                canvas.fillStyle = color;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data];
            };
            const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
            let behind = element;
            while (channels(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
            const both = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(color => light(channels(color)));
            return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
        }""",
    )
    return ratio


def test_a_whole_conversation_needs_no_pointer(page: Page) -> None:
    keys = page.keyboard
    tab_to(page, "🛟Help desk")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Return a chair")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_label("Full name")).to_be_focused()
    keys.type("Ada")
    tab_to(page, "Email")
    keys.type("ada@example.com")
    tab_to(page, "Too small")
    keys.press("Space")
    keys.press("ArrowDown")
    tab_to(page, "The bag")
    keys.press("Space")
    tab_to(page, "1")
    keys.press("Space")
    keys.press("ArrowRight")
    tab_to(page, "I agree")
    keys.press("Space")
    keys.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Thank you, Ada: 1 × broken, bag, 2 stars")
    expect(page.get_by_role("button", name="Start again")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("button", name="Help desk")).to_be_focused()


def test_opening_the_page_moves_the_focus_nowhere(page: Page) -> None:
    expect(page.locator("body")).to_be_focused()


def test_the_focus_can_be_seen(page: Page) -> None:
    page.keyboard.press("Tab")
    styles = page.evaluate("(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))")
    assert styles == ["solid", "2px"]


def test_what_is_new_is_told_to_a_screen_reader_and_nothing_is_told_twice(page: Page) -> None:
    expect(page.get_by_role("log", include_hidden=True)).to_have_attribute("aria-live", "polite")
    page.get_by_role("button", name="Help desk").click()
    page.get_by_role("button", name="Just talk").wait_for()
    page.evaluate("window.first = document.querySelector('#log').firstElementChild")
    page.get_by_role("button", name="Just talk").click()
    expect(page.get_by_role("log")).to_contain_text("Go ahead.")
    assert page.evaluate("window.first === document.querySelector('#log').firstElementChild")


def test_every_control_has_a_name(page: Page) -> None:
    page.get_by_role("button", name="Help desk").click()
    page.get_by_role("button", name="Return a chair").click()
    page.get_by_label("Full name").wait_for()
    controls = "[...document.querySelectorAll('input, textarea, select')]"
    assert page.evaluate(f"{controls}.filter(one => !one.labels?.[0]?.textContent.trim()).map(one => one.outerHTML)") == []
    assert page.get_by_role("group", name="Reason").get_by_role("radio").count() == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    assert overflow(page) <= 0
    page.get_by_role("button", name="Help desk").click()
    page.get_by_role("button", name="Just talk").click()
    line = page.get_by_role("textbox", name="Your answer", exact=True)
    line.fill("https://example.com/" + "a-very-long-address" * 20)
    line.press("Enter")
    page.get_by_role("button", name="Start again").click()
    page.get_by_role("button", name="Help desk").click()
    page.get_by_role("button", name="Return a chair").click()
    page.get_by_label("Full name").wait_for()
    assert overflow(page) <= 0


@pytest.mark.parametrize("width", WIDTHS)
def test_a_form_keeps_all_of_its_fields_inside(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    page.get_by_role("button", name="Return something").click()
    page.get_by_label("Order number").wait_for()
    assert page.locator("input[type=file]").count() == 1
    beyond = """form => {
        const edge = form.getBoundingClientRect().right;
        return [...form.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > edge).map(one => one.outerHTML);
    }"""
    assert page.locator(".fields").evaluate(beyond) == []
    assert overflow(page) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_by_day_and_by_night(browser: Browser, server: str, scheme: str) -> None:
    page = browser.new_page(base_url=server, color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.goto("/")
    page.get_by_role("button", name="Help desk").wait_for()
    shown = {selector: contrast(page, selector) for selector in (".picker h2", ".intent strong", ".intent .muted", ".primary")}
    page.get_by_role("button", name="Help desk").click()
    page.get_by_role("button", name="Just talk").wait_for()
    shown |= {selector: contrast(page, selector) for selector in (".block p", ".said p:last-child", ".choice", ".deadline", ".quiet")}
    page.close()
    assert {selector: round(ratio, 2) for selector, ratio in shown.items() if ratio < 4.5} == {}


def test_nothing_moves_for_those_who_want_no_motion(browser: Browser, server: str) -> None:
    page = browser.new_page(base_url=server, reduced_motion="reduce")
    page.goto("/")
    page.get_by_role("button", name="Help desk").click()
    expect(page.get_by_role("log")).to_contain_text("What can I do for you?")
    moving = page.evaluate("document.getAnimations().length")
    page.close()
    assert moving == 0


def test_the_page_is_served_under_a_policy_that_lets_nothing_else_in(page: Page) -> None:
    answer = page.request.get("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert page.locator("script:not([src]), style, [onclick]").count() == 0
