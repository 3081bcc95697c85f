"""Models as their user manages them in the browser: a better one added, chosen, answering, lost and removed."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chat_page import ChatPage
from tests.e2e.conftest import Pages
from tests.e2e.server import Server, running
from tests.engines.toys import MakeToy, toy
from tests.foundry_catalogue import CatalogueModel, FoundryCatalogue, serving_in_thread
from tests.manage.models_page import card, press, section, shows

__all__ = ["toy"]

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture(scope="module")
def catalogue(toy: MakeToy) -> Iterator[FoundryCatalogue]:
    """A catalogue with one small model."""
    with serving_in_thread(CatalogueModel(folder=toy(script=("I am ", "the toy.")), alias="toy-talker")) as served:
        yield served


@pytest.fixture(scope="module")
def server(catalogue: FoundryCatalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Homeward that knows this catalogue."""
    with running(
        tmp_path_factory.mktemp("homeward") / "data",
        SSL_CERT_FILE=str(catalogue.certificate),
        HOMEWARD_FOUNDRY_CATALOG_URL=catalogue.url,
        HOMEWARD_FOUNDRY_CATALOG_REGION=catalogue.configuration()["catalog_region"],
    ) as server:
        yield server


def chip(page: Page, text: str) -> None:
    """The model's name and state in the chat's header."""
    expect(page.locator(".homeward-model")).to_contain_text(text)


def foundry_children(server: Server) -> list[psutil.Process]:
    """The engines of this Homeward that run ONNX models; others may end while they are looked at."""
    found = []
    for child in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "homeward.engines.foundry.child" in child.cmdline():
                found.append(child)
    return found


def test_a_better_model_from_the_catalogue(pages: Pages, server: Server) -> None:
    """The chat goes on with the starter; the news comes to it; one click, and the new one answers."""
    chat = pages.open(server)
    chat.wait_until_ready()
    chip(chat.page, "SmolLM2-135M-Instruct")
    expect(chat.page.locator(".homeward-promise")).to_contain_text("Choose a better model")
    models = pages.open(server, "/models").page
    press(section(models, "Catalogue"), "Look at the catalogue")
    shows(section(models, "Catalogue"), "Toy", "MIT")
    press(section(models, "Catalogue"), "Download")
    press(models.get_by_role("dialog"), "Download")
    news = chat.page.locator(".homeward-news")
    expect(news).to_contain_text("toy-talker is ready to answer.")
    assert chat.ask_and_wait("Say one word.") != "I am the toy."
    news.get_by_role("button", name="Use it").click()
    chip(chat.page, "toy-talker")
    expect(news).to_have_count(0)
    assert chat.ask_and_wait("Who are you?") == "I am the toy."
    expect(chat.receipt()).to_contain_text("toy-talker")
    shows(card(models, "toy-talker"), "Answers now")


def test_a_folder_of_ones_own(pages: Pages, server: Server, toy: MakeToy, tmp_path: Path) -> None:
    """A wrong path is explained at its field; the right one is added, checked, used, and survives a crash."""
    folder = tmp_path / "mine"
    shutil.copytree(toy(script=("Mine.",)), folder)
    models = pages.open(server, "/models").page
    here = section(models, "On this machine")
    field = here.get_by_role("textbox")
    field.fill(str(tmp_path / "nothing"))
    press(here, "Add")
    shows(here, "There is nothing at")
    field.fill(str(folder))
    press(here, "Add")
    shows(card(models, "mine"), "The files are whole.")
    press(card(models, "mine"), "Use")
    shows(card(models, "mine"), "Answers now", "In memory")
    chat = pages.open(server)
    chat.wait_until_ready()
    assert chat.ask_and_wait("Whose are you?") == "Mine."
    engines = foundry_children(server)
    assert engines
    for engine in engines:
        engine.kill()
    assert chat.ask_and_wait("Still there?") == "Mine."


def test_what_the_page_removes_is_gone(pages: Pages, server: Server) -> None:
    """The starter answers in its place, and the files of one's own stay."""
    models = pages.open(server, "/models").page
    press(card(models, "mine"), "Remove")
    press(models.get_by_role("dialog"), "Take off the list")
    expect(section(models, "On this machine").get_by_role("heading", name="mine")).to_have_count(0)
    shows(section(models, "What answers now"), "SmolLM2-135M-Instruct")


def test_in_korean_on_a_phone(pages: Pages, server: Server) -> None:
    """Nothing is wider than the screen, in the chat neither."""
    for path in ("/models", "/"):
        page = pages.open(server, path, locale="ko-KR", width=390).page
        expect(page.locator("h1").first).to_be_visible()
        expect(page.get_by_text("SmolLM2-135M-Instruct").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_chats_header_leads_there(pages: Pages, server: Server) -> None:
    chat: ChatPage = pages.open(server)
    chat.wait_until_ready()
    chat.page.locator(".homeward-model").click()
    expect(chat.page.get_by_role("heading", level=1, name="Models")).to_be_visible()
