"""A language model in the tab: brought, kept, run, stopped; and what is wrong is said. One thread of the processor."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import LAN_NAME, chromium
from tests.browser.language_page import EnginePage, Wire, build, chat, served

pytestmark = pytest.mark.browser_page

ROOT = Path(__file__).parents[2]
CARD = json.loads((ROOT / "web/models/starter.json").read_text(encoding="utf-8"))
QUESTION = "What is the capital of France?"
LONG = " ".join(f"Item {number} costs {number + 3} dollars." for number in range(40))
NO_JSPI = "delete WebAssembly.Suspending; delete WebAssembly.promising"
LOOKS_LIKE_A_CARD = """
    const info = {vendor: 'acme', architecture: 'one', description: '', isFallbackAdapter: false};
    const gpu = {requestAdapter: async () => ({info, features: new Set(['shader-f16'])})};
    Object.defineProperty(Navigator.prototype, 'gpu', {get: () => gpu});
"""

SAYS_THAT_IT_IS_ON_IT = """
    const lines = [
        'load_tensors: offloaded 31/31 layers to GPU',
        'load_tensors:       WebGPU model buffer size =    92.10 MiB',
    ];
    self.Worker = class extends Worker {
        constructor(...details) {
            super(...details);
            const say = line => this.dispatchEvent(
                new MessageEvent('message', {data: {verb: 'console.debug', args: [line]}}));
            if (details[0].startsWith?.('blob:')) setTimeout(() => lines.forEach(say));
        }
    };
"""

KEEPS_THE_WORKER = """
    self.Worker = class extends Worker {
        constructor(...details) { super(...details); self.lastWorker = this; }
    };
"""
CRASH = """words => {
    const data = {verb: 'signal.abort', args: ['abort', words, '', null]};
    lastWorker.dispatchEvent(new MessageEvent('message', {data}));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Wire]]:
    folder = tmp_path_factory.mktemp("engine")
    build(folder)
    with served(folder) as serving:
        yield serving


@pytest.fixture
def wire(site: tuple[int, Wire]) -> Wire:
    site[1].forget()
    return site[1]


Open = Callable[..., EnginePage]


@pytest.fixture
def opening(browser: Browser, site: tuple[int, Wire]) -> Iterator[Open]:
    """Opens tabs, each in a browser profile of its own, or in that of another tab."""
    opened: list[EnginePage] = []

    def open_page(*, beside: EnginePage | None = None, host: str = "127.0.0.1", script: str = "") -> EnginePage:
        context = beside.page.context if beside else browser.new_context()
        page = EnginePage(context, f"http://{host}:{site[0]}", script)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.page.close()
    assert [what for page in opened for what in page.wrong] == []


@pytest.fixture(scope="module")
def loaded(browser: Browser, site: tuple[int, Wire]) -> Iterator[EnginePage]:
    """With the model ready; for tests that leave it so."""
    port, wire = site
    wire.forget()
    page = EnginePage(browser.new_context(), f"http://127.0.0.1:{port}")
    assert page.do("get") == "done"
    assert page.do("open", {"threads": 1}) == "done"
    yield page
    page.page.close()
    assert page.wrong == []


def test_the_model_is_brought_once_and_checked(opening: Open, wire: Wire) -> None:
    """Progress goes from nothing to all; a second visit asks for nothing; deleted, it is gone."""
    page = opening()
    assert page.do("stored") == {"keeps": True, "files": []}
    assert page.do("get") == "done"
    progress = page.page.evaluate("engine.progress")
    loaded = [step["loaded"] for step in progress]
    assert (loaded[0], loaded[-1]) == (0, CARD["bytes"])
    assert loaded == sorted(loaded)
    assert all(step["total"] == CARD["bytes"] and step["bytesPerSecond"] >= 0 for step in progress)
    assert page.do("sha256") == CARD["sha256"]
    assert wire.ranges == [(None, None)]
    kept = {"file": CARD["file"], "bytes": CARD["bytes"], "whole": True}
    assert page.do("stored") == {"keeps": True, "files": [kept]}

    page.page.reload()
    assert page.do("get") == "done"
    assert page.do("sha256") == CARD["sha256"]
    assert len(wire.ranges) == 1

    page.do("remove")
    page.do("remove")
    assert page.do("stored") == {"keeps": True, "files": []}


def test_answers(loaded: EnginePage) -> None:
    """Right, with the numbers of what was read and written; a later turn knows the earlier ones."""
    running = loaded.running()
    assert (running["backend"], running["threads"], running["adapter"]) == ("one-thread", 1, None)
    assert (running["model"], running["context"], running["why"]) == (CARD["name"], 4096, ["no-webgpu"])
    counted = loaded.do("count", chat(QUESTION))
    first = loaded.ask(QUESTION)
    answer = first["answer"]
    assert "Paris" in first["text"]
    assert answer["finish"] == "stop"
    assert answer["written"] > 4
    assert answer["tokensPerSecond"] > 0
    assert answer["firstTokenSeconds"] > 0
    assert answer["read"] == counted == loaded.do("count", chat(QUESTION))
    assert loaded.do("count", []) == 0

    later = chat(QUESTION, first["text"], "And of which country is that the capital? One word.")
    second = loaded.do("answer", {"messages": later})
    assert "France" in second["text"]
    assert second["answer"]["read"] == loaded.do("count", later)
    cut = loaded.ask("Count from 1 to 50.", maxTokens=6)["answer"]
    assert (cut["finish"], cut["written"]) == ("length", 6)


@pytest.mark.parametrize(("question", "pieces"), [(f"{LONG} Which is the last?", 0), ("Tell a long story.", 4)])
def test_stops_at_once(loaded: EnginePage, question: str, pieces: int) -> None:
    """While it reads a long question, and while it writes; the next answer is as if it had not been."""
    stopped = loaded.ask(question, maxTokens=200, stopAfterPieces=pieces)
    assert stopped["answer"]["finish"] == "stopped"
    assert stopped["stopMs"] < 50
    assert (stopped["answer"]["written"] or 0) >= pieces
    assert "Paris" in loaded.ask(QUESTION)["text"]


def test_one_answer_at_a_time(loaded: EnginePage) -> None:
    """The second waits for the first; a waiting one can be stopped."""
    order = loaded.page.evaluate(
        """async messages => {
            const order = [];
            const ask = (name, signal = new AbortController().signal) =>
                engine.model.answer(messages, {maxTokens: 3, temperature: 0}, () => order.push(name), signal)
                    .then(({finish}) => order.push(`${name} ${finish}`));
            const stopping = new AbortController();
            const all = [ask('one'), ask('two', stopping.signal), ask('three')];
            stopping.abort();
            await Promise.all(all);
            return order;
        }""",
        chat(QUESTION),
    )
    assert order == ["two stopped", *["one"] * 3, "one length", *["three"] * 3, "three length"]


def test_a_conversation_that_is_too_long(loaded: EnginePage) -> None:
    long = "word " * 5000
    assert loaded.ask(long)["problem"] == "too-long"
    assert loaded.do("count", chat(long)) > 5000
    assert "Paris" in loaded.ask(QUESTION)["text"]


def test_a_cancelled_download_goes_on(opening: Open, wire: Wire) -> None:
    page = opening()
    wire.holds_after = 20_000_000
    page.start("get")
    page.do("hasLoaded", 19_000_000)
    page.do("cancel")
    assert page.result() == "AbortError"
    (part,) = page.do("stored")["files"]
    assert not part["whole"]
    assert part["bytes"] > 19_000_000

    wire.forget()
    page.page.evaluate("engine.progress.length = 0")
    assert page.do("get") == "done"
    ((range_, tag),) = wire.ranges
    assert range_ == f"bytes={part['bytes']}-"
    assert tag
    assert page.page.evaluate("engine.progress[0].loaded") == part["bytes"]
    assert page.do("sha256") == CARD["sha256"]


def test_a_download_outlives_its_connection_and_its_tab(opening: Open, wire: Wire) -> None:
    page = opening()
    wire.breaks_after = 20_000_000
    assert page.do("get") == "cut"
    (cut,) = page.do("stored")["files"]
    assert cut["bytes"] > 0  # the browser drops what it has not handed on yet
    wire.breaks_after, wire.holds_after = None, 20_000_000
    page.start("get")
    page.do("hasLoaded", cut["bytes"] + 19_000_000)
    other = opening(beside=page)
    page.page.close()

    wire.forget()
    assert other.do("get") == "done"
    ((range_, _),) = wire.ranges
    assert range_
    assert int(range_.removeprefix("bytes=").removesuffix("-")) > cut["bytes"] + 19_000_000
    assert other.do("sha256") == CARD["sha256"]


def test_two_tabs_bring_it_once(opening: Open, wire: Wire) -> None:
    one = opening()
    other = opening(beside=one)
    one.start("get")
    other.start("get")
    assert (one.result(), other.result()) == ("done", "done")
    assert len(wire.ranges) == 1
    assert one.do("sha256") == other.do("sha256") == CARD["sha256"]


@pytest.mark.parametrize(
    ("instead", "status", "problem"),
    [
        (b"<!doctype html><title>Sign in</title>", 200, "not-gguf"),
        (b"", 404, "missing"),
        (b"", 503, "refused"),
        (b"GGUF" + bytes([3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]) + bytes(500_000), 200, "cut"),
    ],
)
def test_what_is_served_instead(opening: Open, wire: Wire, instead: bytes, status: int, problem: str) -> None:
    page = opening()
    wire.instead, wire.status = instead, status
    assert page.do("get") == problem
    assert all(not file["whole"] for file in page.do("stored")["files"])
    wire.forget()
    assert page.do("get") == "done"


def test_another_file_than_the_card_names(opening: Open, wire: Wire) -> None:
    page = opening()
    assert page.do("get", {"sha256": "0" * 64}) == "foreign"
    assert page.do("stored")["files"] == []
    assert page.do("get", {"bytes": CARD["bytes"] - 1}) == "foreign"
    assert page.do("get", {}, "http://127.0.0.1:9/none.gguf") == "unreachable"
    assert page.wrong == []
    assert len(wire.ranges) == 2


def test_no_room(opening: Open, wire: Wire) -> None:
    page = opening()
    session = page.page.context.new_cdp_session(page.page)
    origin = page.page.evaluate("location.origin")
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 50_000_000})
    assert page.do("get") == "no-room"
    (part,) = page.do("stored")["files"]
    assert not part["whole"]
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin})
    assert page.do("get") == "done"
    assert page.do("sha256") == CARD["sha256"]
    assert wire.ranges[1][0] == f"bytes={part['bytes']}-"


@pytest.mark.parametrize(
    ("front", "start", "end", "problem"),
    [
        ("<!doctype html>", 0, 0, "not-gguf"),
        ("", 0, 30_000_000, "cut"),
        ("", 0, 1_000_000, "cut"),
        ("", 0, 12, "cut"),
        ([*b"GGUF", *[201] * 1000], 0, 0, "not-gguf"),
        ([*b"GGUF", 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, *[201] * 5000], 0, 0, "not-gguf"),
        ([*b"GGUF", 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0], 500_000, 900_000, "not-gguf"),
    ],
)
def test_a_file_that_is_no_model(
    loaded: EnginePage, opening: Open, front: str | list[int], start: int, end: int, problem: str
) -> None:
    """Each is refused with a reason, and leaves the engine as ready as before."""
    page = opening(beside=loaded)
    assert page.do("get") == "done"
    assert page.do("openMade", front, start, end) == problem


def test_cancelled_while_it_loads(loaded: EnginePage, opening: Open) -> None:
    page = opening(beside=loaded)
    assert page.do("get") == "done"
    problem = page.page.evaluate("engine.open({threads: 1, signal: AbortSignal.timeout(300)})")
    assert problem == "TimeoutError"
    assert page.do("open", {"threads": 1}) == "done"


def test_plain_http_of_another_machine(opening: Open, wire: Wire) -> None:
    """Nothing is kept, and there is one thread; it answers all the same."""
    page = opening(host=LAN_NAME)
    wire.breaks_after = 20_000_000
    assert page.do("get") == "cut"
    wire.forget()
    assert page.do("get") == "done"
    assert wire.ranges[0][0]
    assert page.do("stored") == {"keeps": False, "files": []}
    assert page.do("open", {}) == "done"
    running = page.running()
    assert (running["backend"], running["threads"], running["why"]) == ("one-thread", 1, ["insecure"])
    assert "Paris" in page.ask(QUESTION)["text"]


def test_a_browser_without_stack_switching(opening: Open, loaded: EnginePage) -> None:
    """Safari: another build of the engine, from the same place."""
    page = opening(beside=loaded, script=NO_JSPI)
    assert page.do("get") == "done"
    assert page.do("open", {"threads": 1}) == "done"
    assert "Paris" in page.ask(QUESTION)["text"]
    engine = [address for address in page.asked if "wllama" in address]
    assert any(address.endswith(".js") for address in engine)


@pytest.mark.parametrize(
    ("script", "backend", "adapter", "why"),
    [
        (LOOKS_LIKE_A_CARD, "one-thread", None, ["gpu-failed"]),
        (LOOKS_LIKE_A_CARD + SAYS_THAT_IT_IS_ON_IT, "webgpu", "acme one", []),
    ],
)
def test_webgpu_is_what_the_engine_says(
    opening: Open, loaded: EnginePage, script: str, backend: str, adapter: str | None, why: list[str]
) -> None:
    """The page believes in a graphics card; the engine takes the processor without a word, or names the card."""
    page = opening(beside=loaded, script=script)
    assert page.do("get") == "done"
    assert page.do("open", {"threads": 1}) == "done"
    running = page.running()
    assert (running["backend"], running["adapter"], running["why"]) == (backend, adapter, why)
    assert "Paris" in page.ask(QUESTION)["text"]


def test_a_crash(opening: Open, loaded: EnginePage) -> None:
    """The answer fails with its reason, and the next one comes from the engine opened anew."""
    page = opening(beside=loaded, script=KEEPS_THE_WORKER)
    assert page.do("get") == "done"
    assert page.do("open", {"threads": 1}) == "done"
    page.start("answer", {"messages": chat("Tell a long story."), "maxTokens": 500})
    page.page.evaluate(CRASH, "Aborted(OOM): out of memory")
    assert page.result()["problem"] == "no-memory"
    assert page.do("count", chat(QUESTION)) is None
    assert "Paris" in page.ask(QUESTION)["text"]


def test_threads(opening: Open, loaded: EnginePage) -> None:
    """Two, where the page is isolated; few words, for on a busy machine they wait for each other."""
    page = opening(beside=loaded)
    assert page.page.evaluate("crossOriginIsolated")
    assert page.do("get") == "done"
    assert page.do("open", {"threads": 2}) == "done"
    running = page.running()
    assert (running["backend"], running["threads"]) == ("threads", 2)
    assert page.ask(QUESTION, maxTokens=4)["text"].startswith("The capital")


def test_a_model_that_was_closed(opening: Open, loaded: EnginePage) -> None:
    page = opening(beside=loaded)
    assert page.do("get") == "done"
    assert page.do("open", {"threads": 1}) == "done"
    page.start("answer", {"messages": chat("Tell a long story."), "maxTokens": 500})
    page.page.evaluate("engine.model.close()")
    assert page.result()["answer"]["finish"] == "stopped"
    assert page.ask(QUESTION)["problem"] == "engine-failed"
    assert page.do("count", chat(QUESTION)) is None
