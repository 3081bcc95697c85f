"""What a user keeps when something ends: the server, the engine, the connection."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from tests.e2e.chat_page import ChatPage
from tests.e2e.conftest import Pages
from tests.e2e.server import ENVIRONMENT, SECONDS, Server, free_port, running
from tests.e2e.service import Service

pytestmark = pytest.mark.browser

LONG = "Write a very long story about the sea, with many chapters."
LONG_ANSWERS = {"HOMEWARD_CHAT_MAX_TOKENS": "8000", "HOMEWARD_LLAMA_CONTEXT_TOKENS": "8192"}
"""With them the starter writes for minutes: longer than a test needs to end it, on a machine of any speed."""
BEGINNING, REST = "Once upon a time there was a sea", ", and a ship on it."


def stored_answer(data_dir: Path, status: str) -> str:
    """What is on disk of the newest answer with this status; empty where there is none."""
    with contextlib.closing(sqlite3.connect(f"{(data_dir / 'history.db').as_uri()}?mode=ro", uri=True)) as history:
        rows = history.execute(
            "SELECT text FROM steps WHERE kind = 'assistant' AND status = ? ORDER BY created_at DESC", [status]
        )
        return next((str(text) for (text,) in rows), "")


def open_chat(pages: Pages, server: Server, path: str = "/") -> ChatPage:
    chat = pages.open(server, path)
    chat.wait_until_ready()
    return chat


def test_after_sigkill_the_conversation_is_there(pages: Pages, data_dir: Path) -> None:
    """Question and partial answer, marked as interrupted, with a way to go on; and no child is left over."""
    port = free_port()
    with running(data_dir, port, **LONG_ANSWERS) as server:
        chat = open_chat(pages, server)
        chat.ask_and_wait("Say hello.")
        chat.ask(LONG)
        chat.wait_until_writing(120)
        thread = chat.thread_id()
        server.wait_until(lambda: len(stored_answer(data_dir, "streaming")) > 40)
        engine = psutil.Process(server.engine_pid())
        server.kill()
        engine.wait(SECONDS)
    with running(data_dir, port, **LONG_ANSWERS) as server:
        chat = pages.open(server, f"/thread/{thread}")
        expect(chat.receipt().get_by_role("alert")).to_contain_text("Homeward was ended while")
        expect(chat.questions).to_have_count(2)
        expect(chat.answers).to_have_count(2)
        assert len(chat.answer_text()) > 20
        expect(chat.stop_button).to_have_count(0)
        chat.receipt().get_by_role("button", name="Try again").click()
        chat.wait_until_writing(20)
        chat.stop()
        chat.wait_until_answered()
        expect(chat.answers).to_have_count(2)


def test_the_open_page_finds_a_restarted_server(pages: Pages, data_dir: Path) -> None:
    """Without a reload, the same page goes on in its thread."""
    port = free_port()
    with running(data_dir, port) as server:
        chat = open_chat(pages, server)
        first = chat.ask_and_wait("Say hello.")
        server.kill()
        expect(chat.page.locator("#session-error")).to_be_visible()
    with running(data_dir, port):
        expect(chat.page.locator("#session-error")).to_have_count(0)
        chat.ask_and_wait("Say goodbye.")
        expect(chat.questions).to_have_count(2)
        assert chat.answer_text(0) == first
        chat.page.reload()
        expect(chat.questions).to_have_count(2)


def test_sigterm_lets_an_answer_finish_and_exits_0(pages: Pages, data_dir: Path, service: Service) -> None:
    """Running answers are drained, and `/readyz` says so at once."""
    with running(data_dir, HOMEWARD_DRAIN_SECONDS="3600", **service.environment) as server:
        chat = open_chat(pages, server)
        chat.ask(LONG)
        answer = service.answer()
        answer.write(BEGINNING)
        chat.wait_until_writing(len(BEGINNING))
        thread = chat.thread_id()
        server.process.send_signal(signal.SIGTERM)
        server.wait_until(lambda: server.get("/readyz")[0] == 503)
        assert server.readiness()["reason"] == "Homeward is shutting down."
        answer.write(REST)
        answer.end("length")
        assert server.process.wait(SECONDS) == 0
    with running(data_dir, **service.environment) as server:
        again = pages.open(server, f"/thread/{thread}")
        expect(again.receipt()).to_contain_text("Cut at the length limit")
        assert again.answer_text() == BEGINNING + REST


def test_sigterm_ends_an_answer_that_takes_too_long(pages: Pages, data_dir: Path, service: Service) -> None:
    """Its text is stored as interrupted, with the reason."""
    with running(data_dir, HOMEWARD_DRAIN_SECONDS="1", **service.environment) as server:
        chat = open_chat(pages, server)
        chat.ask(LONG)
        service.answer().write(BEGINNING)
        chat.wait_until_writing(len(BEGINNING))
        thread = chat.thread_id()
        assert server.terminate() == 0
    with running(data_dir, **service.environment) as server:
        chat = pages.open(server, f"/thread/{thread}")
        expect(chat.receipt().get_by_role("alert")).to_contain_text("Homeward was shut down")
        assert chat.answer_text() == BEGINNING


def test_an_engine_that_dies_interrupts_and_comes_back(pages: Pages, data_dir: Path) -> None:
    """The text stays, the page says what happened, and trying again works."""
    with running(data_dir, **LONG_ANSWERS) as server:
        chat = open_chat(pages, server)
        chat.ask(LONG)
        chat.wait_until_writing(30)
        os.kill(server.engine_pid(), signal.SIGKILL)
        chat.wait_until_answered()
        expect(chat.receipt()).to_contain_text("Interrupted")
        expect(chat.receipt().get_by_role("alert")).to_contain_text("'llama'")
        assert len(chat.answer_text()) >= 30
        chat.receipt().get_by_role("button", name="Try again").click()
        chat.wait_until_writing(20)
        chat.stop()
        chat.wait_until_answered()


def test_a_message_that_is_not_stored_is_not_asked(pages: Pages, data_dir: Path) -> None:
    """The page says so; once the fault is gone, the same chat works."""
    with running(data_dir) as server:
        chat = open_chat(pages, server)
        chat.ask_and_wait("Say hello.")
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD_THE_LOCK, str(data_dir / "history.db")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            chat.ask("Is this kept?")
            expect(chat.answers.last).to_contain_text("Your message was not saved, so nothing was asked.")
            assert server.get("/healthz")[0] == 200
        finally:
            holder.communicate("", timeout=SECONDS)
        chat.ask_and_wait("Say goodbye.")
        chat.page.reload()
        expect(chat.questions).to_have_count(2)


HOLD_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


def run_up(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "homeward", "up", "--no-open", *arguments],
        env={**os.environ, **ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def test_a_taken_port_names_its_holder_and_a_free_one(server: Server, tmp_path: Path) -> None:
    """One line, no traceback, exit status 1."""
    done = run_up("--port", str(server.port), "--data-dir", str(tmp_path / "other"))
    assert done.returncode == 1
    assert f"Port {server.port} is taken by" in done.stderr
    assert f"(process {server.process.pid})" in done.stderr
    assert "homeward up --port " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_instance_is_sent_to_the_first(server: Server) -> None:
    """Same data folder: refused, with the first one's address."""
    done = run_up("--port", str(free_port()), "--data-dir", str(server.data_dir))
    assert done.returncode == 1
    assert f"at {server.url} (process {server.process.pid})" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_machines_are_not_served(tmp_path: Path) -> None:
    """Without a login nobody else may reach it."""
    done = run_up("--host", "0.0.0.0", "--port", str(free_port()), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "has no login yet" in done.stderr


def test_a_missing_model_is_said_and_the_page_is_there(data_dir: Path, pages: Pages) -> None:
    """The page opens, `/readyz` says why it isn't ready, and the answer says the next step."""
    server = Server(data_dir, HOMEWARD_LLAMA_MODEL="/nowhere/model.gguf")
    try:
        server.wait_until_alive()
        assert server.get("/readyz")[0] == 503
        chat = open_chat(pages, server)
        chat.ask("Hello?")
        expect(chat.receipt().get_by_role("alert")).to_contain_text("The model file model.gguf does not exist.")
        assert "model.gguf does not exist" in str(server.readiness()["reason"])
        assert server.terminate() == 0
    finally:
        server.close()
