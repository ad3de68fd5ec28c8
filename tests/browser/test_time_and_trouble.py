"""Deadlines that pass by themselves, and a line that fails: what the page shows and does."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.conftest import SlowPlace

pytestmark = pytest.mark.browser

MESSAGES = "**/api/public/v1/chat/messages"


def start(page: Page, intent: str) -> None:
    page.locator(".intent", has=page.get_by_text(intent, exact=True)).click()


def sends_of(page: Page) -> list[Request]:
    """Every POST that sends something said, as the page makes it."""
    sends: list[Request] = []
    page.on("request", lambda request: sends.append(request) if request.method == "POST" and request.url.endswith("/messages") else None)
    return sends


def held_back(_: Route) -> None:
    """Lets a request wait for ever."""


def keys_of(sends: list[Request]) -> list[str | None]:
    return [request.headers.get("idempotency-key") for request in sends]


def test_the_deadline_is_counted_down(page: Page) -> None:
    start(page, "Help desk")
    deadline = page.get_by_role("timer")
    expect(deadline).to_have_text(re.compile(r"^Answers until \d{1,2}:\d{2} · (30:00|29:\d{2}) left$"))
    shown = deadline.inner_text()
    expect(deadline).not_to_have_text(shown)


def test_a_timeout_shows_by_itself_and_brings_its_own_question(page: Page) -> None:
    start(page, "In a hurry")
    expect(page.get_by_role("timer")).to_contain_text("left")
    expect(page.get_by_role("log")).to_contain_text("Too late, I went on alone.", timeout=5_000)
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start again")).to_be_visible()


def test_a_timeout_that_passed_while_the_page_was_closed_is_there_when_it_opens(page: Page, context: BrowserContext) -> None:
    start(page, "In a hurry")
    expect(page.get_by_role("log")).to_contain_text("Quick, a word!")
    page.close()
    later = context.new_page()
    later.goto("/")
    expect(later.get_by_role("log")).to_contain_text("Too late, I went on alone.")
    expect(later.get_by_role("button", name="Go on")).to_be_visible()


def test_an_answer_to_a_question_that_is_over_says_so_and_shows_the_present_one(page: Page) -> None:
    # The long poll is held back, so that the page does not know yet.
    page.route("**/executions/**", held_back)
    start(page, "In a hurry")
    word = page.get_by_role("textbox", name="Your answer", exact=True)
    word.fill("word")
    expect(page.get_by_role("timer")).to_have_text("The time is up.")
    word.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("That came after the time was up")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def test_while_the_connection_is_lost_the_page_says_so_and_then_sends_once(page: Page, context: BrowserContext) -> None:
    start(page, "Help desk")
    sends = sends_of(page)
    context.set_offline(True)
    page.get_by_role("button", name="Just talk").click()
    expect(page.get_by_role("status").filter(has_text="The connection is lost")).to_be_visible()
    expect(page.locator(".said.pending")).to_have_text("You: Just talk")
    context.set_offline(False)
    expect(page.get_by_role("log")).to_contain_text("Go ahead.")
    expect(page.locator("#trouble")).to_be_empty()
    assert len(set(keys_of(sends))) == 1


def test_an_answer_whose_reply_was_lost_is_sent_again_under_its_key_and_counts_once(page: Page) -> None:
    start(page, "Help desk")
    sends = sends_of(page)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(MESSAGES, lose, times=1)
    page.get_by_role("button", name="Just talk").click()
    expect(page.get_by_role("textbox", name="Your answer", exact=True)).to_be_focused()
    first, second = keys_of(sends)
    assert first is not None
    assert first == second
    assert page.get_by_role("log").get_by_text("Go ahead.").count() == 1


def test_work_that_takes_its_time_is_said_to_go_on_until_its_outcome_is_there(page: Page, slow_place: SlowPlace) -> None:
    slow_place.may_answer.clear()
    start(page, "Run an errand")
    working = page.locator("#working")
    with page.expect_response(lambda answer: "wait=25" in answer.url and answer.status == 200) as followed:
        page.get_by_role("button", name="The slow one").click()
        log = page.get_by_role("log")
        expect(log).to_contain_text("I am on my way.")
        expect(log).not_to_contain_text("Here I am again.")
        expect(page.get_by_role("status").filter(has_text="Working on it")).to_be_visible()
        expect(page.get_by_role("textbox")).to_have_count(0)
        slow_place.may_answer.set()
    assert followed.value.json()["reply"]["status"] == "waiting_input"
    expect(log).to_contain_text("Here I am again.")
    expect(working).to_be_hidden()
    expect(working).to_be_empty()
    expect(page.get_by_role("textbox", name="Your answer", exact=True)).to_be_focused()


def test_work_that_goes_on_is_still_seen_after_a_reload_and_so_is_its_failure(page: Page, slow_place: SlowPlace) -> None:
    slow_place.may_answer.clear()
    start(page, "Run an errand")
    page.get_by_role("button", name="The broken one").click()
    expect(page.get_by_role("log")).to_contain_text("Off I go, again.")
    page.reload()
    expect(page.get_by_role("status").filter(has_text="Working on it")).to_be_visible()
    slow_place.may_answer.set()
    expect(page.locator("#answer")).to_contain_text("Something went wrong on our side, so this conversation has ended. http.status")
    expect(page.locator("#typing")).to_be_hidden()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()


def test_a_server_that_asks_for_patience_gets_it(page: Page) -> None:
    start(page, "Help desk")
    sends = sends_of(page)
    refusal = {"error": "rate_limited", "message": "Too many requests.", "details": {}}
    page.route(MESSAGES, lambda route: route.fulfill(status=429, json=refusal, headers={"Retry-After": "1"}), times=1)
    page.get_by_role("button", name="Just talk").click()
    expect(page.get_by_role("status").filter(has_text="a little fast")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("Go ahead.")
    assert len(sends) == 2
    assert len(set(keys_of(sends))) == 1


def test_a_session_whose_hour_is_over_is_renewed_unnoticed(page: Page) -> None:
    start(page, "Help desk")
    refusal = {"error": "invalid_session_token", "message": "The session has expired.", "details": {}}
    page.route(MESSAGES, lambda route: route.fulfill(status=401, json=refusal), times=1)
    page.get_by_role("button", name="Just talk").click()
    expect(page.get_by_role("log")).to_contain_text("Go ahead.")


def test_a_remembered_session_that_the_server_does_not_know_gives_way_to_a_new_one(page: Page) -> None:
    page.evaluate("for (const place of Object.keys(localStorage)) localStorage.setItem(place, 'forged')")
    page.reload()
    expect(page.get_by_role("heading", name="What can we do for you?")).to_be_visible()
