"""The policy page in a browser, with the real rules behind it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from homeward.config import load
from homeward.manage.policy_routes import policy_routes
from homeward.manage.routes import model_routes
from homeward.observability.audit import AuditBegun, Transfer
from homeward.protocol.place import Place
from homeward.routing.tasks.classify import Evidence
from tests.manage.conftest import Pages, Site
from tests.manage.fake_manager import FakeManager
from tests.manage.models_page import press, section, shows
from tests.manage.policies import AZURE, LLAMA, OFFICE, OPENAI, Home, home_of, transfer
from tests.manage.test_access import exported, violations

pytestmark = pytest.mark.browser

GO = "Where your words may go"
WHO = "Who answers"
RULES = "Your own rules"
PRIVACY = "Personal data and secrets"
TRY = "Try it"
FULL = """\
[policy]
complex_from = "hard"
places = ["cloud", "device"]

# Mine.
[[policy.rules]]
name = "work"
use = ["office", "device"]
[policy.rules.when]
task = ["code", "data"]
complexity = ["hard"]
tokens_over = 1000
findings = ["email", "custom:badge"]
attachments = true
failed = ["cloud"]
hours = "22:00-06:00"
days = ["mon", "sun"]
spent_over = 5

[[policy.rules]]
name = "rest"
when = {findings = false, attachments = false}
use = ["device"]

[privacy]
deny = ["Aquila", "김민지"]
kinds = {email = "mask"}
patterns = {badge = "B-[0-9]{6}"}

[budget]
month = 4
"""


def spending(cost: float) -> Transfer:
    begun = AuditBegun(
        request=uuid4(), attempt=1, place=Place.CLOUD, backend="azure", host="h", model="m", rule="place_order"
    )
    return transfer(begun, bytes_out=100, cost=cost)


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Home]:
    options = dict(getattr(request, "param", {}))
    rows = options.pop("rows", (LLAMA, OFFICE, AZURE))
    with home_of(tmp_path, *rows, **options) as home:
        yield home


def starting(**options: Any) -> pytest.MarkDecorator:
    """How the rules are before the page is opened."""
    return pytest.mark.parametrize("home", [options], indirect=True, ids=[""])


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    running = Site(*policy_routes(home.governing), *model_routes(FakeManager()))
    try:
        yield running
    finally:
        running.stop()


def opened(pages: Pages, **options: Any) -> Page:
    page = pages.blank(**options)
    page.goto("/policy")
    expect(page.locator("#sections")).to_be_visible()
    return page


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saving")).to_be_hidden()


def preset_of(home: Home) -> str:
    """The one that counts now."""
    return home.completer.rules.policy.preset


def card(page: Page, name: str) -> Locator:
    return section(page, GO).get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))


@starting(rows=(LLAMA,))
def test_without_a_cloud_nothing_leaves(pages: Pages, home: Home) -> None:
    """Said before anything else, with what to write to have one; those lines are right."""
    page = opened(pages)
    first = page.locator("main h2").first
    expect(first).to_have_text(GO)
    shows(section(page, GO), "No cloud is configured: nothing leaves this computer.", str(home.file), "docs/clouds.md")
    example = home.folder / "example.toml"
    example.write_text(page.locator("pre").inner_text())
    settings = load(config=example, environment={})
    assert (settings.clouds["azure"].kind, settings.budget.month) == ("azure", 10)


def test_it_is_seen_where_words_go(pages: Pages, home: Home) -> None:
    """For each backend, before and after another choice; nothing counts until it is saved."""
    page = opened(pages)
    only = "Your words go to azure (my.openai.azure.com) only when this device and your network can't answer"
    shows(card(page, "azure"), f"{only}, or when you choose the cloud for a message.", "gpt-4.1-mini", "0.40 USD")
    shows(card(page, "azure"), "You have not agreed yet: until you do, nothing goes there.")
    who = section(page, WHO)
    shows(who, "office and azure: never", "azure: only when it is about creative writing or research")
    who.get_by_label("Send requests to the cloud first that look").select_option("demanding")
    shows(card(page, "azure"), "only when a request looks demanding, or when this device")
    who.get_by_role("radio", name="This device only").check()
    shows(card(page, "azure"), "Nothing goes to azure (my.openai.azure.com): your policy leaves it out.")
    assert preset_of(home) == "local-first"
    save(page)
    assert preset_of(home) == "local-only"
    expect(page.locator("#announcer")).to_contain_text("It counts from now on.")
    page.reload()
    expect(page.get_by_role("radio", name="This device only")).to_be_checked()


def test_the_order_of_places(pages: Pages, home: Home) -> None:
    """Moved, switched off, and as the preset has it."""
    page = opened(pages)
    who = section(page, WHO)
    who.get_by_text("Order of places").click()
    press(who, "Up: the cloud")
    press(who, "Up: the cloud")
    who.get_by_role("checkbox", name="your network").uncheck()
    save(page)
    assert home.completer.rules.policy.places == ("cloud", "device")
    shows(card(page, "azure"), "whenever nothing keeps them here")
    who.get_by_role("checkbox", name="this device").uncheck()
    expect(who.get_by_role("checkbox", name="the cloud")).to_be_disabled()  # the last one stays
    press(who, "As the preset has it")
    save(page)
    assert home.completer.rules.policy.places is None


def test_a_rule_by_keyboard_alone(pages: Pages, home: Home) -> None:
    """Made, refused beside its fields, moved, changed, removed."""
    page = opened(pages)
    keyboard = page.keyboard
    page.get_by_role("button", name="Add a rule").focus()
    keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="A new rule")
    expect(dialog.get_by_label("Name")).to_be_focused()
    keyboard.press("Enter")
    expect(dialog.locator("#rule-name-problem")).to_have_text("Give it a name.")
    expect(dialog.locator("#rule-use-problem")).to_have_text("Choose who may answer.")
    keyboard.type("night")
    keyboard.press("Tab")
    keyboard.press("Space")  # code
    dialog.get_by_text("More conditions").focus()
    keyboard.press("Enter")
    dialog.get_by_label("It is between").fill("22:00")
    dialog.get_by_label("First").select_option("azure")
    dialog.get_by_label("Then").select_option("this device")
    dialog.get_by_label("Then").last.focus()
    press(dialog, "Done")
    expect(dialog.locator("#rule-hours-problem")).to_have_text("Give both times, and two different ones.")
    expect(dialog.get_by_label("It is between")).to_be_focused()
    dialog.get_by_label("and", exact=True).fill("06:00")
    press(dialog, "Done")
    expect(dialog).to_have_count(0)
    rules = section(page, RULES)
    shows(rules, "night", "it is about code · 22:00 to 06:00", "azure, then this device")
    save(page)
    (rule,) = home.completer.rules.policy.rules
    assert (rule.name, rule.use, rule.when.hours, rule.when.task) == (
        "night",
        ("azure", "device"),
        "22:00-06:00",
        ("code",),
    )
    press(rules, "Edit: night")
    dialog = page.get_by_role("dialog", name="Edit “night”")
    keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#saving")).to_be_hidden()
    press(rules, "Remove: night")
    shows(rules, "You have none")
    save(page)
    assert home.completer.rules.policy.rules == ()


@starting(text=FULL)
def test_every_condition_survives_the_form(pages: Pages, home: Home) -> None:
    """A rule that is opened and closed again says what it said; its comment stays, too."""
    before = home.completer.rules
    page = opened(pages)
    rules = section(page, RULES)
    shows(rules, "it is about code or data analysis · it looks hard · it is longer than 1,000 tokens",
          "found: e-mail address or badge · something is attached · not able to answer: the cloud · 22:00 to 06:00",
          "on Monday or Sunday · more than 5.00 USD spent")  # fmt: skip
    for name in ("work", "rest"):
        press(rules, f"Edit: {name}")
        press(page.get_by_role("dialog"), "Done")
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#saving")).to_be_hidden()
    press(rules, "Down: work")
    save(page)
    assert home.completer.rules.policy.rules == tuple(reversed(before.policy.rules))
    assert '# Mine.\n[[policy.rules]]\nname = "work"' in home.file.read_text()


def test_what_is_wrong_stands_beside_it(pages: Pages, home: Home) -> None:
    """Words, patterns and kinds; and the page still has all that was typed."""
    pages.refusals_expected = True
    page = opened(pages)
    privacy = section(page, PRIVACY)
    shows(privacy, "What can't be seen", "Names of people and companies")
    privacy.get_by_label("Whatever is found").select_option("Ask me each time")
    privacy.get_by_text("By kind").click()
    privacy.get_by_label("e-mail address").select_option("Send it with placeholders")
    privacy.get_by_label("Your own words").fill("Aquila\n\n김민지\n")
    press(privacy, "Add a pattern")
    expect(privacy.get_by_label("Name")).to_be_focused()
    page.keyboard.type("badge")
    privacy.get_by_label("Pattern", exact=True).fill("B-(")
    privacy.get_by_label("When found: badge").select_option("Send it with placeholders")
    page.get_by_role("button", name="Save", exact=True).click()
    problem = privacy.get_by_text("The pattern badge can't be used: missing ): B-(.")
    expect(problem).to_be_in_viewport()
    expect(privacy.get_by_label("Pattern", exact=True)).to_have_attribute("aria-invalid", "true")
    shows(page.locator("#saving"), "This can't be saved yet. Correct what is marked.")
    privacy.get_by_label("Pattern", exact=True).fill("B-[0-9]+")
    expect(problem).to_have_count(0)
    save(page)
    saved = load(config=home.file, environment={}).privacy
    assert (saved.default, saved.deny, saved.patterns) == ("ask", ("Aquila", "김민지"), {"badge": "B-[0-9]+"})
    assert saved.kinds == {"email": "mask", "custom:badge": "mask"}
    press(privacy, "Remove: badge")
    save(page)
    assert load(config=home.file, environment={}).privacy.kinds == {"email": "mask"}


@starting(rows=(LLAMA, AZURE, OPENAI), spent=(spending(3.21),))
def test_the_budget_is_a_hard_stop(pages: Pages, home: Home) -> None:
    """The bar, what has no price, and the end."""
    page = opened(pages)
    budget = section(page, "Budget")
    shows(budget, "3.21 USD spent this month")
    expect(budget.get_by_role("progressbar")).to_be_hidden()
    budget.get_by_label("Clouds may cost in a month").fill("10")
    shows(budget, "3.21 USD of 10.00 USD spent this month", "With a budget, openai can't be asked")
    expect(budget.get_by_role("progressbar")).to_have_attribute("value", "0.321")
    budget.get_by_label("Clouds may cost in a month").fill("2")
    shows(budget, "The budget is spent: no cloud is asked until next month.")
    save(page)
    assert home.completer.rules.budget.month == 2
    budget.get_by_label("Clouds may cost in a month").fill("")
    save(page)
    assert home.completer.rules.budget.month is None


def test_consent_says_what_goes_where(pages: Pages, home: Home) -> None:
    """It counts at once, whatever else is not saved; it can be withdrawn."""
    page = opened(pages)
    section(page, WHO).get_by_role("radio", name="Cloud first").check()
    azure = card(page, "azure")
    press(azure, "Agree")
    question = page.get_by_role("dialog", name="Let words go to azure (my.openai.azure.com)?")
    shows(question, "a question and what was said before it in its conversation are sent to my.openai.azure.com")
    press(question, "Cancel")
    assert not home.consents.given("azure", AZURE.host)
    press(azure, "Agree")
    press(question, "Agree")
    shows(azure, "You agreed that words go there.")
    assert home.consents.given("azure", AZURE.host)
    expect(section(page, WHO).get_by_role("radio", name="Cloud first")).to_be_checked()
    press(azure, "Withdraw consent")
    shows(azure, "You have not agreed yet")
    assert not home.consents.given("azure", AZURE.host)


def test_try_it(pages: Pages, home: Home) -> None:
    """While one types; anew when the rules change; nobody is asked."""
    page = opened(pages)
    why = section(page, TRY)
    why.get_by_label("A question").fill("Write a poem about the sea for ada@example.com.")
    shows(why, "llama this device", "Found in it: e-mail address. So it stays on this device.", "e-mail address (1)")
    why.get_by_label("A question").fill("Write a poem about the sea.")
    shows(
        why, "nothing", "creative writing (", "Not asked: azure. You have not agreed yet that anything is sent there."
    )
    why.get_by_label("Asked with").select_option("This device")
    shows(why, "You chose where the answer is made.")
    why.get_by_label("Asked with").select_option("Cloud")
    press(card(page, "azure"), "Agree")
    press(page.get_by_role("dialog"), "Agree")
    expect(why.locator(".attempts li")).to_contain_text(["azure", "llama"])
    section(page, WHO).get_by_role("radio", name="This device only").check()
    shows(why, "As your saved rules have it: your changes don't count yet.")
    why.get_by_label("A question").fill(" ")
    expect(why.get_by_text("Who would be asked")).to_be_hidden()


def test_changes_are_not_lost_unnoticed(pages: Pages, home: Home) -> None:
    """Leaving asks first; another look at the state changes nothing that is being written; discarding does."""
    page = opened(pages)
    page.get_by_label("Your own words").fill("Aquila")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Models").click()
    expect(page.locator("#saving")).to_be_visible()
    assert asked == ["beforeunload"]
    with page.expect_response("**/policy/state"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_label("Your own words")).to_have_value("Aquila")
    press(page, "Discard")
    expect(page.get_by_label("Your own words")).to_have_value("")
    page.get_by_role("link", name="Models").click()
    expect(page).to_have_title("Models · Homeward")
    assert asked == ["beforeunload"]


@starting(locked="The environment variable HOMEWARD_POLICY_PRESET goes before what would be saved.")
def test_what_can_not_be_changed_is_not_offered(pages: Pages, home: Home) -> None:
    page = opened(pages)
    shows(page.locator("#locked"), "HOMEWARD_POLICY_PRESET", f"Your rules stand in {home.file}.")
    expect(page.get_by_role("radio", name="Cloud first")).to_be_disabled()
    expect(page.get_by_role("button", name="Add a rule")).to_be_disabled()
    expect(page.get_by_label("A question")).to_be_enabled()


def test_a_homeward_that_is_away(pages: Pages, site: Site) -> None:
    """Is said; what was typed can be saved once it is back."""
    pages.refusals_expected = True
    page = opened(pages)
    page.get_by_label("Your own words").fill("Aquila")
    site.stop()
    press(page, "Save")
    shows(page.locator("#saving"), "Homeward does not answer. Try again in a moment.")
    site.start()
    save(page)


def test_names_are_text(pages: Pages, home: Home) -> None:
    """Whatever they look like; the list of rules, the form and the reasons show them as they are."""
    name = "<img src=x onerror=alert(1)>"
    page = opened(pages)
    press(page, "Add a rule")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("First").select_option("this device")
    press(dialog, "Done")
    save(page)
    page.get_by_label("A question").fill("Hi")
    shows(section(page, TRY), f"The rule “{name}” matched.")
    assert page.locator("img[src=x]").count() == 0


def everything_shown(pages: Pages, **options: Any) -> Page:
    page = opened(pages, **options)
    page.locator("details").evaluate_all("(all) => all.forEach((each) => { each.open = true })")
    page.locator("#prompt").fill("Prove it by induction and mail it to ada@example.com.")
    expect(page.locator(".explanation")).to_be_visible()
    page.locator("#month").fill("1")
    expect(page.locator("#saving")).to_be_visible()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@starting(text=FULL, rows=(LLAMA, OFFICE, AZURE, OPENAI), spent=(spending(3.21),))
def test_no_findings(pages: Pages, home: Home, scheme: str, width: int) -> None:
    """With everything shown, with what is wrong, and with the form, in both themes and widths."""
    pages.refusals_expected = True
    page = everything_shown(pages, color_scheme=scheme, width=width, reduced_motion="reduce")
    page.locator("#pattern-0-is").fill("(")
    page.locator("#saving .primary").click()
    expect(page.locator("#pattern-0-problem")).not_to_be_empty()
    assert violations(page) == []
    press(page, "Edit: work")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(("locale", "width"), [("en-US", 390), ("ko-KR", 320), ("en-US", 768)])
@starting(text=FULL, rows=(LLAMA, OFFICE, AZURE, OPENAI))
def test_nothing_sticks_out(pages: Pages, home: Home, locale: str, width: int) -> None:
    """No sideways scrolling, on the page or in the form."""
    page = everything_shown(pages, width=width, locale=locale)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#rules tbody button").first.click()
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("(dialog) => dialog.scrollWidth <= dialog.clientWidth")
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


@starting(text=FULL, rows=(LLAMA, OFFICE, AZURE, OPENAI), spent=(spending(3.21),))
def test_the_page_speaks_korean(pages: Pages, home: Home) -> None:
    """Down to what the program says of a decision, and of a mistake."""
    pages.refusals_expected = True
    page = everything_shown(pages, locale="ko-KR")
    expect(page).to_have_title("정책 · Homeward")
    page.locator("#pattern-0-is").fill("(")
    page.locator("#saving .primary").click()
    expect(page.locator("#pattern-0-problem")).to_contain_text("badge 패턴을 쓸 수 없습니다")
    expect(page.locator("[lang=en]")).to_have_count(0)
    text = re.sub(
        r"docs/clouds\.md|/\S+|ada@\S+|Prove it by induction and mail it to", "", page.locator("body").inner_text()
    )
    assert re.findall(r"\b(?:the|is|of|and|not|to|this|your|from|answer)\b", text) == []
    page.locator("#rules tbody button").first.click()
    form = page.get_by_role("dialog").inner_text()
    assert re.findall(r"\b(?:the|is|of|and|not|to|this|your|from|answer)\b", form) == []


def test_all_evidence_has_words(pages: Pages) -> None:
    """Both languages have the same words: that is tested for all of them."""
    page = pages.open()
    assert set(exported(page, "english.js", "english")["policy"]["why"]["evidence"]) == set(get_args(Evidence))
