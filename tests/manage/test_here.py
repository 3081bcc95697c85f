"""The models on this machine: what is told of them, and what can be done with them."""

import pytest
from playwright.sync_api import expect

from tests.manage.conftest import Pages
from tests.manage.fake_manager import FakeManager, UnusableError
from tests.manage.models_page import card, error_in, focused_name, press, section, see, shows
from tests.manage.views import OWN, PHI, READY, STARTER, changed

pytestmark = pytest.mark.browser


def test_everything_worth_knowing_is_told(pages: Pages) -> None:
    """Sizes in the engines' words, unknown things as unknown."""
    page = pages.open()
    starter, own = card(page, STARTER.title), card(page, OWN.title)
    shows(starter, "llama.cpp", "98 MB", "8,192 tokens", "Apache-2.0", "Processor", "about 412 MB", "In memory")
    shows(starter, "Answers now", "It holds 398 MB of memory now.", "The files have not been checked yet.")
    shows(own, "4.7 GB", "32,768 tokens", "Does not fit now: needs about 11.0 GB, 9.8 GB free.", "The files are whole.")
    own.get_by_text("Where it is").click()
    shows(own, "/home/ada/models/Qwen2.5-7B-Instruct-Q4_K_M.gguf")
    shows(own, "your own file or folder")


def test_what_is_not_known_is_left_out(pages: Pages, manager: FakeManager) -> None:
    """Instead of a zero or a null."""
    manager.show(models=(changed(OWN, context_tokens=None, license="", memory_bytes=0),))
    own = card(pages.open(), OWN.title)
    shows(own, "not stated")
    expect(own.get_by_text("Context")).to_be_hidden()
    expect(own.get_by_text("Memory needed")).to_be_hidden()
    expect(own.get_by_text(OWN.fits_sentence)).to_be_hidden()
    expect(own).not_to_contain_text("null")


def test_what_can_be_done_depends_on_the_model(pages: Pages, manager: FakeManager) -> None:
    """The starter stays, the one in use needs no Use, only what is damaged and from the catalogue is repaired."""
    damaged = {"check": "damaged", "problems": ("The file model.onnx is missing.",)}
    manager.show(models=(STARTER, changed(OWN, **damaged), changed(PHI, **damaged)))
    page = pages.open()
    assert card(page, STARTER.title).get_by_role("button").all_inner_texts() == ["Check files"]
    assert card(page, OWN.title).get_by_role("button").all_inner_texts() == ["Use", "Check files", "Remove"]
    assert card(page, PHI.title).get_by_role("button").all_inner_texts() == ["Use", "Repair", "Check files", "Remove"]
    shows(card(page, PHI.title), "The files are damaged: The file model.onnx is missing.")


def test_another_model_is_used(pages: Pages, manager: FakeManager) -> None:
    """The answer's state is shown at once."""
    page = pages.open()
    manager.effect(
        "use",
        models=(changed(STARTER, in_use=False), changed(OWN, in_use=True, state="loading")),
        in_use=changed(READY, model=OWN.name, state="loading"),
    )
    press(card(page, OWN.title), "Use")
    shows(card(page, OWN.title), "Answers now")
    expect(card(page, STARTER.title).get_by_role("button", name="Use: SmolLM2-135M-Instruct")).to_be_visible()
    assert manager.calls == [("use", OWN.name)]


def test_an_error_stands_beside_the_button_that_caused_it(pages: Pages, manager: FakeManager) -> None:
    """In that model's card and in no other; the focus stays; it goes with the next try."""
    pages.refusals_expected = True
    page = pages.open()
    manager.fail("use", UnusableError("The model needs about 11.0 GB.", next_step="Close other programs."))
    press(card(page, OWN.title), "Use")
    expect(card(page, OWN.title).get_by_role("alert")).to_have_text(
        "The model needs about 11.0 GB. Close other programs."
    )
    expect(page.get_by_role("alert")).to_have_count(1)
    assert focused_name(page) == f"Use: {OWN.title}"
    manager.fail("use")
    press(card(page, OWN.title), "Use")
    expect(error_in(card(page, OWN.title))).to_be_empty()


def test_a_fault_of_the_server_has_words(pages: Pages, manager: FakeManager) -> None:
    """Even where its answer has none."""
    pages.refusals_expected = True
    page = pages.open()
    manager.fail("verify", RuntimeError("secret"))
    press(card(page, OWN.title), "Check files")
    expect(card(page, OWN.title).get_by_role("alert")).to_have_text(
        "Something went wrong inside Homeward; the log says more."
    )


def test_files_are_checked(pages: Pages, manager: FakeManager) -> None:
    """Progress by itself, then the outcome, which is announced."""
    page = pages.open()
    starter = card(page, STARTER.title)
    manager.effect("verify", models=(changed(STARTER, check="checking", checked=0.25), OWN))
    press(starter, "Check files")
    shows(starter, "Checking the files… 25 %")
    expect(starter.get_by_role("progressbar")).to_have_attribute("aria-valuetext", "25 %")
    manager.show(models=(changed(STARTER, check="checking", checked=0.999), OWN))
    shows(starter, "Checking the files… 99 %")
    manager.show(models=(changed(STARTER, check="whole"), OWN))
    shows(starter, "The files are whole.")
    expect(page.locator("#announcer")).to_have_text(f"The files of {STARTER.title} are whole.")


def test_a_model_is_taken_off_the_list(pages: Pages, manager: FakeManager) -> None:
    """The question says that files stay; Escape and Cancel mean no."""
    page = pages.open()
    manager.effect("remove", models=(STARTER,))
    question = page.get_by_role("dialog", name=f"Remove {OWN.title}?")
    press(card(page, OWN.title), "Remove")
    shows(question, "It is only taken off this list. Its files stay where they are.")
    shows(question, OWN.path)
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert focused_name(page) == f"Remove: {OWN.title}"
    press(card(page, OWN.title), "Remove")
    press(question, "Cancel")
    expect(page.locator("dialog")).to_have_count(0)
    assert manager.calls == []
    press(card(page, OWN.title), "Remove")
    press(question, "Take off the list")
    expect(card(page, OWN.title)).to_have_count(0)
    assert manager.calls == [("remove", OWN.name, False)]
    assert focused_name(page) == "On this machine"
    expect(page.locator("#announcer")).to_have_text(f"{OWN.title} was removed.")


def test_a_download_is_deleted(pages: Pages, manager: FakeManager) -> None:
    """The question says how much, and what it means for what answers now."""
    manager.show(models=(changed(STARTER, in_use=False), changed(PHI, in_use=True)))
    page = pages.open()
    press(card(page, PHI.title), "Remove")
    question = page.get_by_role("dialog")
    shows(question, "4.8 GB are deleted from this disk.")
    shows(question, "It is what answers now; another model will take over.")
    press(question, "Delete the files")
    manager.wait_for("remove", PHI.name, True)


def test_a_damaged_download_is_repaired(pages: Pages, manager: FakeManager) -> None:
    """Only after the question that names what will be fetched."""
    manager.show(models=(changed(PHI, check="damaged", problems=("The file model.onnx has changed.",)),))
    page = pages.open()
    press(card(page, PHI.title), "Repair")
    question = page.get_by_role("dialog", name=f"Fetch {PHI.title} once more?")
    shows(question, "4.8 GB are downloaded again")
    assert manager.calls == []
    press(question, "Repair")
    manager.wait_for("repair", PHI.name)


def test_a_model_is_added(pages: Pages, manager: FakeManager) -> None:
    """By Enter; the field is empty and has the focus for the next one."""
    manager.show(models=(STARTER,))
    page = pages.open()
    field = page.get_by_label("Add a model from a file or folder")
    expect(field).to_have_accessible_description(
        "A .gguf file, or an ONNX folder that has a genai_config.json. It stays where it is."
    )
    field.fill("  ~/models/qwen.gguf ")
    manager.effect("add", models=(STARTER, OWN))
    field.press("Enter")
    expect(card(page, OWN.title)).to_be_visible()
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    assert manager.calls == [("add", "~/models/qwen.gguf")]
    expect(page.locator("#announcer")).to_have_text(f"{OWN.title} was added.")


def test_a_path_without_a_model_is_told_at_the_field(pages: Pages, manager: FakeManager) -> None:
    """What was typed stays to be corrected."""
    pages.refusals_expected = True
    page = pages.open()
    field = page.get_by_label("Add a model from a file or folder")
    press(page, "Add")
    expect(page.locator("#add-problem")).to_have_text("Name a file or folder.")
    assert manager.calls == []
    manager.fail("add", UnusableError("There is nothing at /nowhere.", next_step="Check the path."))
    field.fill("/nowhere")
    press(page, "Add")
    expect(page.locator("#add-problem")).to_have_text("There is nothing at /nowhere. Check the path.")
    expect(page.locator("#add-problem")).to_have_attribute("role", "alert")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("/nowhere")
    expect(field).to_be_focused()
    manager.fail("add")
    press(page, "Add")
    expect(page.locator("#add-problem")).to_be_empty()
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_names_are_text(pages: Pages, manager: FakeManager) -> None:
    """A file's name can't become part of the page."""
    evil = "<img src=x onerror=window.owned=1><script>window.owned=1</script>"
    manager.show(
        models=(changed(OWN, name=evil, title=evil, path=evil, license=evil, problems=(evil,), check="damaged"),),
        missing=evil, notice=evil, ready_to_switch=evil,
    )  # fmt: skip
    page = pages.open()
    shows(section(page, "On this machine"), evil)
    press(card(page, evil), "Remove")
    shows(page.get_by_role("dialog"), evil)
    assert page.locator("main img, main script, dialog img").count() == 0
    assert page.evaluate("window.owned") is None


def test_long_names_and_many_models_fit(pages: Pages, manager: FakeManager) -> None:
    """Nothing sticks out sideways, on a phone either."""
    long = "a-model-with-a-name-that-never-ends-" * 6
    many = tuple(changed(OWN, name=f"{index}{long}", title=f"{index}{long}", path=f"/{long}") for index in range(20))
    manager.show(models=many, in_use=changed(READY, model=long))
    page = pages.open(width=390)
    expect(section(page, "On this machine").get_by_role("heading", level=3)).to_have_count(21)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    see(page, manager, models=many[::-1])
    shows(section(page, "On this machine").get_by_role("heading", level=3).first, "19")
