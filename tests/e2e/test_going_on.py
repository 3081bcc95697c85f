"""An answer belongs to its thread: pages come and go while it is written, and any of them can stop it.

It is made by an upstream that writes until it is stopped, so that none of this is a race with a model.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.chat_page import ChatPage
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import Pages
from tests.e2e.server import Server, running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    started = Cloud(pace=0.1)
    yield started
    started.close()


@pytest.fixture(scope="module")
def server(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("endless") / "data"
    cloud.write_config(data_dir, model="never-ends", more='[policy]\npreset = "cloud-first"\nplaces = ["cloud"]')
    with running(data_dir) as server:
        yield server


@pytest.fixture
def writing(chat: ChatPage) -> ChatPage:
    """A page on which an answer is being written."""
    chat.ask("Write a story about the sea.")
    agree = chat.page.get_by_role("button", name="Allow azure from now on")
    expect(agree.or_(chat.answers.locator(".prose").filter(has_text="and and"))).to_be_visible()
    if agree.is_visible():
        agree.click()
    chat.wait_until_writing(30)
    return chat


def test_a_reload_in_the_middle_finds_the_answer_and_goes_on(writing: ChatPage) -> None:
    """The text so far, then the rest, and the stop button works."""
    writing.thread_id()
    writing.page.reload()
    expect(writing.stop_button).to_be_visible()
    writing.wait_until_writing(30)
    writing.wait_until_writing(len(writing.answer_text()) + 20)
    writing.stop()
    writing.wait_until_answered()
    expect(writing.receipt()).to_contain_text("Stopped")


def test_a_second_page_sees_the_same_answer_and_can_stop_it(writing: ChatPage, pages: Pages, server: Server) -> None:
    """Two pages on one thread agree, and the one who answers is told."""
    other = pages.open(server, f"/thread/{writing.thread_id()}")
    other.wait_until_writing(30)
    other.stop()
    writing.wait_until_answered()
    other.wait_until_answered()
    assert writing.answer_text() == other.answer_text()


def test_a_stopped_answer_ends_where_it_is_made(writing: ChatPage, cloud: Cloud) -> None:
    """Its connection is closed: nobody pays for words that nobody reads."""
    cloud.wait_until_running(1)
    writing.stop()
    writing.wait_until_answered()
    cloud.wait_until_running(0)
