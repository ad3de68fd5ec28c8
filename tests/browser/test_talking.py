"""A person talks to the page: starts, answers, fills in forms, comes back."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser


def start(page: Page, intent: str) -> None:
    page.locator(".intent", has=page.get_by_text(intent, exact=True)).click()


def choose(page: Page, option: str) -> None:
    page.get_by_role("button", name=option, exact=True).click()


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your answer", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_pinned_intents_stand_first_with_their_subtitle_and_icon(page: Page) -> None:
    first = page.locator(".intent").first
    expect(first).to_contain_text("Help desk")
    expect(first).to_contain_text("Returns, and everything else")
    expect(first.locator(".icon")).to_have_text("🛟")


def test_examples_are_offered_as_questions_but_none_that_repeats_a_label(page: Page) -> None:
    expect(page.get_by_role("button", name="track my order")).to_have_count(1)
    page.get_by_role("button", name="where is my parcel", exact=True).click()
    expect(page.get_by_role("log")).to_contain_text("What's your order number?")


def test_the_order_conversation_of_the_project_is_had_to_its_end(page: Page) -> None:
    start(page, "Track my order")
    log = page.get_by_role("log")
    expect(log).to_contain_text("What's your order number?")
    say(page, "somewhere")
    expect(log).to_contain_text("like A-1001")
    say(page, "a1001")
    expect(page.locator(".card")).to_contain_text("Walnut desk lamp")
    expect(page.locator(".card")).to_contain_text("€89.00")
    choose(page, "Another order")
    say(page, "A-1003")
    expect(page.locator(".card").last).to_contain_text("Four espresso cups")
    choose(page, "No, that's all")
    expect(log).to_contain_text("Have a lovely day!")
    expect(page.get_by_role("button", name="Start again")).to_be_focused()


def test_a_file_that_cannot_be_sent_does_not_hold_up_the_rest_of_the_form(page: Page) -> None:
    page.route("**/uploads*", lambda route: route.fulfill(status=503, json={"error": "unavailable", "message": "Later.", "details": {}}))
    start(page, "Return something")
    page.get_by_label("Photos").set_input_files({"name": "lamp.png", "mimeType": "image/png", "buffer": b"a lamp"})
    expect(page.locator(".files")).to_contain_text("The file could not be sent. Go on without it")
    page.get_by_label("Order number").fill("A-1001")
    page.get_by_label("Walnut desk lamp").check()
    page.get_by_label("When did you buy it?").fill("2026-01-05")
    page.get_by_label("It is faulty").check()
    page.get_by_label("As good as new").check()
    page.get_by_label("I have read the conditions").check()
    choose(page, "Check my return")
    expect(page.get_by_role("log")).to_contain_text("photos: 0")


def test_a_return_is_requested_through_a_choice_and_a_form(page: Page) -> None:
    start(page, "Help desk")
    choose(page, "Return a chair")
    page.get_by_label("Full name").fill("Ada")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Bought on").fill("2026-01-05")
    page.get_by_label("Too small").check()
    page.get_by_label("The box").check()
    page.get_by_label("The bag").check()
    page.get_by_label("4", exact=True).check(force=True)
    page.get_by_label("I agree to the terms").check()
    choose(page, "Request return")
    log = page.get_by_role("log")
    expect(log).to_contain_text("Thank you, Ada: 1 × small, box and bag, 4 stars, 2026-01-05.")
    expect(log).to_contain_text("Reason: Too small")
    expect(page.get_by_role("button", name="Start again")).to_be_visible()


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(page: Page) -> None:
    start(page, "Help desk")
    choose(page, "Return a chair")
    page.get_by_label("Email").fill("nobody")
    choose(page, "Request return")
    name, email = page.get_by_label("Full name"), page.get_by_label("Email")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description("Please give an answer.")
    expect(email).to_have_accessible_description("We write about this return alone. Enter an email address such as name@example.com.")
    expect(email).to_have_value("nobody")
    expect(page.get_by_label("Bought on")).to_have_attribute("aria-invalid", "false")


def test_each_kind_of_question_has_its_own_control(page: Page) -> None:
    start(page, "Book a table")
    page.locator("input[type=date]").fill("2026-01-05")
    choose(page, "Send")
    page.locator("input[type=time]").fill("19:30")
    choose(page, "Send")
    page.locator("input[type=number]").fill("4")
    choose(page, "Send")
    page.get_by_label("Soup").check()
    page.get_by_label("Ice cream").check()
    choose(page, "Send")
    choose(page, "No")
    page.get_by_label("5", exact=True).check(force=True)
    choose(page, "Send")
    choose(page, "Skip")
    expect(page.get_by_role("log")).to_contain_text("2026-01-05 19:30, 4, soup+ice, False, 5, []", ignore_case=True)


def test_a_question_may_be_answered_in_words_instead(page: Page) -> None:
    start(page, "Book a table")
    choose(page, "Type it instead")
    page.get_by_label("Your answer in words").fill("5.1.2026")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("At what time?")


def test_an_option_may_be_typed(page: Page) -> None:
    start(page, "Help desk")
    page.get_by_label("Or type your answer").fill("just talk")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Go ahead.")


def test_a_text_that_is_no_option_is_told_at_the_line_and_kept_in_it(page: Page) -> None:
    start(page, "Help desk")
    words = page.get_by_label("Or type your answer")
    words.fill("sing")
    page.keyboard.press("Enter")
    expect(words).to_have_accessible_description("Choose one of the options.")
    expect(words).to_have_value("sing")
    expect(page.get_by_role("log")).not_to_contain_text("sing")


def test_ones_own_first_words_start_the_intent_whose_example_they_are(page: Page) -> None:
    page.get_by_label("Or in your own words").fill("I need help!")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("What can I do for you?")


def test_first_words_that_mean_no_intent_go_with_the_one_that_is_picked(page: Page) -> None:
    page.get_by_label("Or in your own words").fill("My chair squeaks")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pick a topic above")).to_be_visible()
    start(page, "Help desk")
    expect(page.locator(".said")).to_contain_text("My chair squeaks")


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "{{7*7}}", "**bold** [x](javascript:alert(1)) `code` _it_", "# not a heading"]
)
def test_hostile_text_is_shown_as_it_was_typed(page: Page, text: str) -> None:
    start(page, "Help desk")
    choose(page, "Just talk")
    say(page, text)
    plain, formatted = page.locator(".block").filter(has_text="You said"), page.locator(".block").filter(has_text="Which is")
    expect(plain).to_have_text(f"You said: {text}")
    expect(formatted).to_have_text(f"Which is {text}.")
    assert page.locator("main").locator("img, a, em, h1, script").count() == 0


def test_blocks_are_drawn_without_trusting_them(page: Page) -> None:
    start(page, "Help desk")
    choose(page, "Show me something")
    card = page.locator(".card")
    expect(card).to_contain_text("A <b>chair</b>")
    expect(card.get_by_role("link")).to_have_text(["Read more"])
    log = page.get_by_role("log")
    expect(log).to_contain_text("A hologram of a chair")
    expect(log).not_to_contain_text("oak smell")
    assert page.locator(".block").count() == 3


def test_a_conversation_that_ended_can_be_followed_by_another(page: Page) -> None:
    start(page, "Help desk")
    choose(page, "Just talk")
    say(page, "hello")
    choose(page, "Start again")
    start(page, "Book a table")
    expect(page.get_by_role("log")).to_contain_text("You said: hello")
    expect(page.get_by_role("log")).to_contain_text("Which day?")


def test_a_person_may_end_the_conversation(page: Page) -> None:
    start(page, "Help desk")
    choose(page, "End conversation")
    expect(page.get_by_text("You ended this conversation.")).to_be_visible()
    expect(page.get_by_role("button", name="Start again")).to_be_focused()


def test_a_reload_goes_on_where_the_conversation_stood(page: Page) -> None:
    start(page, "Help desk")
    choose(page, "Just talk")
    log = page.get_by_role("log")
    expect(log).to_contain_text("Go ahead.")
    page.reload()
    expect(log).to_contain_text("What can I do for you?")
    expect(log).to_contain_text("Just talk")
    say(page, "I am back")
    expect(log).to_contain_text("You said: I am back")
    assert log.get_by_text("Go ahead.").count() == 1


def test_another_tab_goes_on_with_the_same_conversation(page: Page, context: BrowserContext) -> None:
    start(page, "Help desk")
    choose(page, "Just talk")
    other = context.new_page()
    other.goto("/")
    say(other, "from the other tab")
    expect(page.get_by_role("log")).to_contain_text("You said: from the other tab")
