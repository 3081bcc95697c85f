"""What goes wrong with the SQLAlchemy data layer that Chainlit ships: one test for each, and none of it here.

The measurements behind them, and the numbers of the issues, stand in the project's facts about Chainlit 2.12.
"""

import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from homeward.history import Element, History, RefusedError, Step, User
from homeward.protocol.errors import HistoryError

from .postgres import PostgresServer
from .saying import said, shown, texts, whole


async def test_an_error_of_the_database_is_raised_and_counted(history: History, ann: User) -> None:
    """There, every SQL error is logged as a warning and swallowed."""
    assert not history.failures
    with pytest.raises(HistoryError):
        await history.update_thread(uuid4(), user_id=uuid4())
    assert history.failures["refused"] == 1


async def test_work_in_between_is_stored_so_that_answers_keep_their_parents(history: History) -> None:
    """There, a missing column loses every `run`: after a reload only the user's messages remain (issue 2832)."""
    thread_id = uuid4()
    run = said(thread_id, "", "run", name="on_message", auto_collapse=True, default_open=False, show_input="json")
    question = said(thread_id, "Why?")
    answer = said(thread_id, "Because.", "assistant", parent_id=run.id)
    for step in (question, run, answer):
        await history.save_step(step)
    steps = (await whole(history, thread_id)).steps
    assert [(step.kind, step.parent_id) for step in steps] == [
        ("user", None),
        ("run", None),
        ("assistant", run.id),
    ]
    assert (steps[1].auto_collapse, steps[1].default_open, steps[1].show_input) == (True, False, "json")


async def test_modes_are_a_dict_on_the_way_in_and_out(history: History) -> None:
    """There, a message with modes is not stored at all (issue 2750)."""
    thread_id = uuid4()
    await history.save_step(said(thread_id, modes={"place": "local", "model": "small"}))
    assert (await whole(history, thread_id)).steps[0].modes == {"place": "local", "model": "small"}


async def test_tags_are_a_list_on_the_way_in_and_out(history: History, ann: User) -> None:
    """There, a thread with a profile gets no owner and is in no list (issue 2528)."""
    thread_id = uuid4()
    await history.update_thread(thread_id, name="Hello", user_id=ann.id, tags=["Local", "빠름"])
    (thread,) = (await history.list_threads(ann.id)).threads
    assert (thread.tags, thread.user_identifier) == (["Local", "빠름"], "ann")


async def test_metadata_is_a_dict_everywhere_on_the_way_out(history: History, ann: User) -> None:
    """There, SQLite gives it as a string, and the page cannot read the profile in it."""
    thread_id, metadata = uuid4(), {"chat_profile": "Local", "n": 1, "list": [True, None]}
    await history.update_thread(thread_id, user_id=ann.id, metadata=metadata)
    await history.save_step(said(thread_id, metadata=metadata, generation=metadata))
    thread = await whole(history, thread_id)
    assert thread.metadata == thread.steps[0].metadata == thread.steps[0].generation == metadata
    assert (await history.list_threads(ann.id)).threads[0].metadata == metadata


async def test_favourites_are_found(history: History, ann: User) -> None:
    """There, the query compares JSONB with LIKE and finds none."""
    step = said(uuid4(), metadata={"favorite": True})
    await history.save_step(step, user_id=ann.id)
    assert [favorite.id for favorite in await history.favorite_steps(ann.id)] == [step.id]


async def test_the_list_holds_no_steps(history: History, ann: User) -> None:
    """There, one page reads all threads with all their steps."""
    await history.save_step(said(uuid4()), user_id=ann.id)
    (thread,) = (await history.list_threads(ann.id)).threads
    assert not hasattr(thread, "steps")


async def test_the_filter_for_thumbs_down_filters(history: History, ann: User) -> None:
    """There, `feedback=0` counts as no filter."""
    step = said(uuid4())
    await history.save_step(step, user_id=ann.id)
    assert (await history.list_threads(ann.id, feedback=0)).threads == ()
    await history.save_feedback(step.id, 0, user_id=ann.id)
    assert len((await history.list_threads(ann.id, feedback=0)).threads) == 1


async def test_times_are_utc_and_say_so(history: History, ann: User) -> None:
    """There, they are local times with a "Z" behind them."""
    thread_id = uuid4()
    await history.save_step(said(thread_id), user_id=ann.id)
    thread = await whole(history, thread_id)
    for moment in (thread.created_at, thread.updated_at, thread.steps[0].created_at, ann.created_at):
        assert moment is not None
        assert moment.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


async def test_a_missing_thread_is_none(history: History) -> None:
    """There, it is an exception, and 500 instead of 404."""
    assert await history.get_thread(uuid4()) is None
    assert await history.get_element(uuid4(), uuid4()) is None


async def test_elements_are_stored_without_a_store_for_files(history: History) -> None:
    """There, even a card made of values only is dropped."""
    thread_id = uuid4()
    card = shown(thread_id, kind="custom", name="Receipt", props={"place": "device"})
    await history.save_element(card)
    assert await history.get_element(thread_id, card.id) == card


@pytest.fixture
def certificate(fragile_postgres: PostgresServer, tmp_path: Path) -> Path:
    """What the server shows of itself, signed by nobody."""
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    fragile_postgres.serve_tls(certificate, key)
    return certificate


async def test_asking_for_encryption_gets_the_certificate_checked(
    fragile_postgres: PostgresServer, certificate: Path
) -> None:
    """There, `ssl_require=True` turns all checks off."""
    url = fragile_postgres.url("homeward")
    for mode in ("require", "verify-ca", "verify-full"):
        with pytest.raises(HistoryError, match="cannot be reached") as caught:
            await History.open(f"{url}?sslmode={mode}")
        assert "CertVerification" in caught.value.detail
    async with await History.open(f"{url}?sslmode=require&sslrootcert={certificate}") as history:
        await history.ensure_user("ann")
    async with await History.open(f"{url}?sslmode=disable") as history:
        assert await history.get_user("ann") is not None
    with pytest.raises(HistoryError, match="sslmode that is not supported"):
        await History.open(f"{url}?sslmode=prefer")
    with pytest.raises(HistoryError, match="sslrootcert"):
        await History.open(f"{url}?sslmode=verify-full&sslrootcert=/nowhere.crt")


async def test_a_late_empty_text_does_not_overwrite(history: History) -> None:
    """There, the writes of a message race, and the empty one of its beginning may win."""
    thread_id = uuid4()
    answer = said(thread_id, "the whole answer", "assistant")
    await history.save_step(answer)
    await history.save_step(msgspec.structs.replace(answer, text=""))
    assert await texts(history, thread_id) == ["the whole answer"]


async def test_an_id_is_never_part_of_a_statement(history: History, ann: User) -> None:
    """There, a stored thread id chosen by the client is put into a later statement as it is."""
    for odd in ("x') OR 1=1 --", "'; DROP TABLE steps; --"):
        with pytest.raises(RefusedError, match="not a UUID"):
            await history.update_thread(odd, user_id=ann.id)
        await history.ensure_user(odd, odd, {odd: odd})
        await history.list_threads(ann.id, search=odd)
        known = await history.get_user(odd)
        assert known is not None
        assert known.metadata == {odd: odd}


async def test_a_step_is_not_taken_over_by_another_user(history: History, ann: User, bob: User) -> None:
    """There, saving under a known id moves somebody else's message into one's own thread."""
    anns, bobs = uuid4(), uuid4()
    step = said(anns, "private")
    await history.save_step(step, user_id=ann.id)
    for thread_id in (anns, bobs):
        with pytest.raises(RefusedError):
            await history.save_step(msgspec.structs.replace(step, thread_id=thread_id, text="x"), user_id=bob.id)
    assert await texts(history, anns) == ["private"]


async def test_a_file_is_kept_under_the_key_that_we_choose(history: History) -> None:
    """There, the key holds the client's file name, and the server fetches the client's URL."""
    thread_id = uuid4()
    element = Element(
        id=uuid4(),
        thread_id=thread_id,
        kind="file",
        name="../../etc/passwd",
        url="http://169.254.169.254/",
        object_key="0f",
    )
    await history.save_element(element)
    found = await history.get_element(thread_id, element.id)
    assert found is not None
    assert (found.object_key, found.url) == ("0f", "http://169.254.169.254/"), "stored as a word, never fetched"


def test_what_is_looked_up_has_an_index(file: Path) -> None:
    """There, the documented tables have none."""
    connection = sqlite3.connect(file)
    for table, condition in (
        ("users", "identifier = 'x'"),
        ("threads", "user_id = 'x'"),
        ("steps", "id = 'x'"),
        ("steps", "thread_id = 'x'"),
        ("steps", "status = 'streaming'"),
        ("elements", "thread_id = 'x'"),
        ("elements", "step_id = 'x'"),
        ("feedback", "step_id = 'x'"),
        ("receipts", "step_id = 'x'"),
    ):
        ((*_, how),) = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition}").fetchall()
        assert "USING INDEX" in how or "USING COVERING INDEX" in how, how
    connection.close()


def test_the_step_has_a_field_for_all_that_the_page_sends() -> None:
    """A new field of the page goes to `extra`; the ones of today have a place of their own."""
    ours = {name.replace("_", "") for name in Step.__struct_fields__}
    page = """name id threadId parentId command modes waitForAnswer isError metadata tags input createdAt generation
        showInput defaultOpen autoCollapse language icon"""
    assert set(page.lower().split()) <= ours
