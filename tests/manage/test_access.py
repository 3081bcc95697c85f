"""Usable by keyboard and screen reader, in both themes and languages, on a phone."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from homeward.manage.state import ProviderView, State
from tests.manage.conftest import Pages
from tests.manage.fake_manager import FakeManager, UnusableError
from tests.manage.models_page import card, error_in, focused_name, press, section, see, shows
from tests.manage.views import (
    ARRIVING,
    FOUNDRY,
    LLAMA,
    MACHINE,
    NOT_FOUND,
    OLLAMA,
    OWN,
    PHI,
    PHI_OFFER,
    READY,
    STARTER,
    STATE,
    changed,
)

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
AXE = ROOT / "tests/vendor/axe-core/axe.min.js"
PROBLEM = "The file model.onnx.data is empty in parts: it was never written completely."
FULL: State = changed(
    STATE,
    in_use=changed(READY, model="phi-4-mini", backend="foundry", state="loading", expected_bytes=5_600_000_000),
    missing="phi-4-mini",
    models=(
        changed(STARTER, in_use=False, check="checking", checked=0.5),
        OWN,
        changed(PHI, in_use=True, state="failed", sentence="The engine did not start.", check="damaged",
                problems=(PROBLEM,)),
    ),
    services=(OLLAMA,),
    not_found=NOT_FOUND,
    searched=True,
    downloads=(
        ARRIVING,
        changed(ARRIVING, variant="b", title="b", state="failed", problem="The download broke off."),
        changed(ARRIVING, variant="c", title="c", state="checking", repaired=True),
        changed(ARRIVING, variant="d", title="d", state="done", name="d"),
    ),
    ready_to_switch="d",
    notice="Ollama runs on this computer.",
    machine=changed(MACHINE, providers=(ProviderView(name="CUDAExecutionProvider", registered=False),)),
)  # fmt: skip


def opened_full(pages: Pages, manager: FakeManager, **options: Any) -> Page:
    """Everything that the page can show, at once."""
    manager.now = FULL
    page = pages.open(**options)
    page.locator("#catalogue button").first.click()
    expect(page.get_by_role("table")).to_be_visible()
    page.locator("summary").evaluate_all("(all) => all.forEach((each) => each.click())")
    return page


def violations(page: Page) -> list[str]:
    """All findings of axe-core for WCAG 2.2 AA and good practice, one line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [f"{each['id']}: {[node['html'][:160] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_findings(pages: Pages, manager: FakeManager, scheme: str, width: int) -> None:
    """With everything shown, with an error, and with a question, in both themes and widths."""
    pages.refusals_expected = True
    page = opened_full(pages, manager, color_scheme=scheme, width=width, reduced_motion="reduce")
    manager.fail("add", UnusableError("There is nothing at /x.", next_step="Check the path."))
    page.get_by_label("Add a model from a file or folder").fill("/x")
    press(page, "Add")
    expect(page.locator("#add-problem")).to_contain_text("/x")
    assert violations(page) == []
    press(card(page, PHI.title), "Remove")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("width", [390, 320, 768])
def test_nothing_sticks_out(pages: Pages, manager: FakeManager, locale: str, width: int) -> None:
    """No sideways scrolling, on the page or in a question."""
    page = opened_full(pages, manager, width=width, locale=locale)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#catalogue tbody button").first.click()
    question = page.get_by_role("dialog")
    expect(question).to_be_visible()
    assert question.evaluate("(dialog) => dialog.scrollWidth <= dialog.clientWidth")
    box = question.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_themes_follow_the_system(pages: Pages) -> None:
    """In the chat's colours."""
    theme = json.loads((ROOT / "src/homeward/chat/public/theme.json").read_text(encoding="utf-8"))["variables"]
    ours = {"background": "background", "foreground": "foreground", "card": "card", "quiet": "muted-foreground",
            "muted": "muted", "border": "border", "input": "input", "primary": "primary",
            "on-primary": "primary-foreground", "destructive": "destructive"}  # fmt: skip
    page = pages.open()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for name, theirs in ours.items():
            script = f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')"
            assert page.evaluate(script) == f"hsl({theme[scheme][f'--{theirs}']})", name


def test_landmarks_and_headings(pages: Pages, manager: FakeManager) -> None:
    """A screen reader's map of the page."""
    manager.now = FULL
    page = pages.open()
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")
    titles = [
        "What answers now",
        "Downloads",
        "On this machine",
        "Catalogue",
        "Services on this machine",
        "This machine",
    ]
    assert page.get_by_role("heading", level=2).all_inner_texts() == titles
    for title in titles:
        expect(section(page, title)).to_have_count(1)
    expect(page).to_have_title("Models · Homeward")


def test_a_model_is_chosen_added_and_removed_by_keyboard_alone(pages: Pages, manager: FakeManager) -> None:
    """Tab, Enter, Space, Escape; what has the focus can be seen."""
    page = pages.open()
    keyboard = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(60):
            keyboard.press("Tab")
            if focused_name(page) == name:
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
                return
        raise AssertionError(f"{name} is not reached by Tab")

    manager.effect("use", models=(changed(STARTER, in_use=False), changed(OWN, in_use=True)))
    tab_to(f"Use: {OWN.title}")
    keyboard.press("Enter")
    shows(card(page, OWN.title), "Answers now")
    assert focused_name(page) == OWN.title  # its button is gone: the focus went to the heading
    tab_to(f"Remove: {OWN.title}")
    keyboard.press("Space")
    question = page.get_by_role("dialog")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    for _ in range(3):  # the focus can't leave the question for the page
        keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.closest('main')")
    keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert focused_name(page) == f"Remove: {OWN.title}"
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("Enter")
    manager.wait_for("remove", OWN.name, False)
    tab_to("")  # the field
    keyboard.type("/models/x.gguf")
    keyboard.press("Enter")
    manager.wait_for("add", "/models/x.gguf")


def test_the_catalogue_by_keyboard_alone(pages: Pages, manager: FakeManager) -> None:
    """Look, filter, download."""
    page = pages.open()
    look = page.get_by_role("button", name="Look at the catalogue")
    look.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("generic-cpu:5")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused_name(page) == f"Download: {PHI_OFFER.variant}"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    manager.wait_for("download", PHI_OFFER.variant)


def test_nothing_moves_for_those_who_asked_for_that(pages: Pages, manager: FakeManager) -> None:
    """No animation, no transition."""
    page = opened_full(pages, manager, reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate("document.getAnimations().length") > 0


def test_the_page_speaks_korean(pages: Pages, manager: FakeManager) -> None:
    """To a Korean browser, down to what the server says; only names stay as they are."""
    manager.now = changed(FULL, machine=changed(FULL.machine, engines=(LLAMA, FOUNDRY)))
    page = opened_full(pages, manager, locale="ko-KR")
    assert page.evaluate("document.documentElement.lang") == "ko"
    expect(page).to_have_title("모델 · Homeward")
    shows(section(page, "이 컴퓨터의 모델"), "지금은 맞지 않습니다: 약 11.0 GB 필요, 9.8 GB 사용 가능.")
    shows(section(page, "이 컴퓨터의 모델"), "model.onnx.data 파일의 일부가 비어 있습니다. 끝까지 기록되지 않았습니다.")
    shows(section(page, "이 컴퓨터의 서비스"), "127.0.0.1:1234에서 응답하는 프로그램이 없습니다.")
    shows(section(page, "다운로드"), "4.8 GB 중 1.2 GB · 24 MB/s · 약 2분 남음")
    expect(page.locator("[lang=en]")).to_have_count(0)
    text = re.sub(
        r"https?://\S+|/\S+|homeward\.toml|\.gguf|genai_config\.json|model\.onnx\S*",
        "",
        page.locator("body").inner_text(),
    )
    english = re.findall(r"\b(?:the|is|of|and|not|model|file|from|memory)\b", text)
    assert english == []


def test_what_has_no_korean_is_marked_as_english(pages: Pages, manager: FakeManager) -> None:
    """So that a screen reader pronounces it; whole, never half translated."""
    pages.refusals_expected = True
    page = pages.open(locale="ko-KR")
    manager.fail("use", UnusableError("Something that nobody translated.", next_step="Try again."))
    press(card(page, OWN.title, "이 컴퓨터의 모델"), "사용")
    spans = error_in(card(page, OWN.title, "이 컴퓨터의 모델")).locator("span")
    expect(spans.first).to_have_text("Something that nobody translated.")
    expect(spans.first).to_have_attribute("lang", "en")
    expect(spans.last).to_have_text("다시 시도하세요.")
    see(page, manager, notice="Ollama runs on this computer. Nobody translated this.")
    notice = page.get_by_text("Ollama runs on this computer. Nobody translated this.")
    expect(notice).to_have_attribute("lang", "en")
    see(page, manager, notice="Ollama runs on this computer.")
    notice = page.get_by_text("Ollama이(가) 이 컴퓨터에서 실행 중입니다.")
    expect(notice).to_be_visible()
    assert notice.get_attribute("lang") is None


def exported(page: Page, module: str, name: str) -> Any:
    """An object of the page's modules, its functions as their number of arguments."""
    version = page.locator("script").get_attribute("src")
    assert version is not None
    address = version.replace("main.js", module)
    return page.evaluate(
        f"""async () => JSON.parse(JSON.stringify((await import("{address}")).{name},
              (_, value) => typeof value === "function" ? value.length : value))"""
    )


def shape(words: Any) -> Any:
    return {key: shape(value) for key, value in words.items()} if isinstance(words, dict) else type(words)


def test_both_languages_have_the_same_words(pages: Pages) -> None:
    """None is missing, none is left over, and functions take the same."""
    page = pages.open()
    english, korean = exported(page, "english.js", "english"), exported(page, "korean.js", "korean")
    assert shape(english) == shape(korean)


def test_translated_sentences_are_still_said(pages: Pages) -> None:
    """A sentence that the program changed shows up here: its translation has to follow."""
    said = " ".join(
        str(node.value)
        for path in (ROOT / "src/homeward").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    sentences: dict[str, str] = exported(pages.open(), "korean-sentences.js", "sentences")
    stale = [english for english in sentences if longest_piece(english) not in said]
    assert stale == []
    for english, korean in sentences.items():
        assert {int(number) for number in re.findall(r"\{(\d)\}", korean)} <= set(range(english.count("{}"))), english


def longest_piece(sentence: str) -> str:
    """Of what stands between names and numbers, without the marks around it, which the program may add later."""
    return max((piece.strip(" .:“”") for piece in re.split(r"\{\}|: ", sentence)), key=len)
