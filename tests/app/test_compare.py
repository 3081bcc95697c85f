"""Comparing backends: what is asked, what is counted, and what the table and the page say of it."""

import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import async_playwright

from homeward.app.comparing.charts import nice_step
from homeward.app.comparing.figures import ELSEWHERE, Figures, Spread, figures_of
from homeward.app.comparing.machine import machine_facts
from homeward.app.comparing.matrix import matrix, task_rows
from homeward.app.comparing.measure import WARM_UP, WARM_UP_TOKENS, Candidate, measure, most_it_costs
from homeward.app.comparing.opening import configured
from homeward.app.comparing.page import Comparison, page_of
from homeward.app.comparing.prompts import OURS, Prompt, read_prompts
from homeward.config import Settings, load
from homeward.observability.audit import FILE, read, transfers
from homeward.protocol.errors import InvalidRequestError
from homeward.protocol.place import Place
from homeward.protocol.receipt import DroppedRecord
from tests.backends.fake_upstream import TEXT, FakeUpstream, serving

from .comparisons import CLOUD, HOME, LAB, PROMPTS, Answers, measured_with, receipt

AXE = Path(__file__).parents[1] / "vendor/axe-core/axe.min.js"


# What is asked


def test_our_prompts() -> None:
    """Eight kinds of work, in both languages; the results can call each by a name."""
    assert len({prompt.task for prompt in OURS}) == len({prompt.title for prompt in OURS}) == 8
    korean = [prompt for prompt in OURS if re.search("[가-힣]", prompt.text)]
    assert {"Korean" in prompt.title for prompt in korean} == {True}
    assert 3 <= len(korean) <= 5


def test_prompts_of_a_text_file(tmp_path: Path) -> None:
    """A line each; empty ones and a mark at the beginning of the file are no prompts."""
    (tmp_path / "a.txt").write_bytes("\ufeffWhy?\n\n  왜?  \r\n".encode())
    assert read_prompts(tmp_path / "a.txt") == (Prompt(text="Why?", title="Line 1"), Prompt(text="왜?", title="Line 3"))


def test_prompts_of_json_lines(tmp_path: Path) -> None:
    """With a task and a title, or without."""
    (tmp_path / "a.jsonl").write_text('{"prompt": "Why?", "task": "knowledge", "title": "W"}\n{"prompt": "How?"}\n')
    first, second = read_prompts(tmp_path / "a.jsonl")
    assert first == Prompt(text="Why?", task="knowledge", title="W")
    assert second == Prompt(text="How?", task="own", title="Line 2")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"\n \n", "There is no prompt in"),
        ("a.txt", b"\xff\xfe\x00", "can't be read"),
        ("a.jsonl", b'{"prompt": "a"}\n{"text": "b"}\n', "Line 2 of"),
        ("a.jsonl", b'{"prompt": " "}\n', "is empty"),
        ("missing.txt", None, "can't be read"),
    ],
)
def test_prompts_that_are_none(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequestError, match=words):
        read_prompts(tmp_path / name)


async def test_a_warm_up_first_then_each_prompt_as_often_as_asked_for() -> None:
    """One backend after the other is asked everything; repeated ones differ, so that no cache answers."""
    answers, told = Answers(HOME), list[float]()
    measured = await measure(
        HOME, PROMPTS, answers.ask, repeat=2, max_tokens=64, show=lambda _, part: told.append(part)
    )
    assert answers.asked == [
        (WARM_UP.text, "llama", WARM_UP_TOKENS),
        ("(1) Write code.", "llama", 64),
        ("(1) 시를 써 주세요.", "llama", 64),
        ("(2) Write code.", "llama", 64),
        ("(2) 시를 써 주세요.", "llama", 64),
    ]
    assert [each.prompt.title for each in measured.asked] == ["First", "Second"] * 2
    assert told == [0.0, 0.25, 0.5, 0.75, 1.0]


async def test_a_backend_that_cannot_answer_is_asked_once() -> None:
    """Its error stands for the others."""
    broken = receipt(CLOUD, error="upstream_unreachable", outcome="failed", bytes_out=0, cost=None)
    figures = figures_of(await measured_with(CLOUD, broken))
    assert (figures.asked, figures.answered, figures.errors) == (0, 0, {"upstream_unreachable": 1})
    assert (figures.first_token, figures.cost, figures.bytes_out) == (None, 0, 0)


def test_costs_are_said_too_high_rather_than_too_low() -> None:
    """Before anything is sent; nothing is said without prices."""
    most = most_it_costs(CLOUD, PROMPTS, repeat=3, max_tokens=100)
    assert most is not None
    assert 600 * 10 / 1e6 < most < 700 * 10 / 1e6
    assert most_it_costs(LAB, PROMPTS, repeat=3, max_tokens=100) is None


# What is counted


async def test_numbers_of_one_backend() -> None:
    """The warm-up counts in bytes, costs and the first use, and in no other time."""
    figures = figures_of(
        await measured_with(
            CLOUD,
            receipt(CLOUD, first_token_seconds=9.0, total_seconds=9.5, bytes_out=50, cost=0.01),
            receipt(CLOUD, first_token_seconds=0.2, total_seconds=1.0, bytes_out=100, cost=0.02, completion_tokens=10),
            receipt(CLOUD, first_token_seconds=0.4, total_seconds=3.0, bytes_out=7, cost=0.04, completion_tokens=20),
        )
    )
    assert (figures.asked, figures.answered, figures.errors) == (2, 2, {})
    assert figures.start == 9.0
    assert figures.first_token == Spread((0.2, 0.4))
    assert figures.total
    assert (figures.total.median, figures.total.p95) == (2.0, 3.0)
    assert figures.answer_tokens == Spread((10.0, 20.0))
    assert figures.bytes_out == 157
    assert figures.cost == pytest.approx(0.07)
    assert figures.seconds_by_task == {"code": 1.0, "creative": 3.0}


async def test_failed_answers_count_as_errors_and_in_no_time() -> None:
    """What they sent and cost counts all the same; an answer of another backend is none of this one."""
    figures = figures_of(
        await measured_with(
            LAB,
            receipt(LAB),
            receipt(LAB, error="upstream_timeout", outcome="interrupted", total_seconds=99.0),
            receipt(HOME),
        )
    )
    assert figures.errors == {"upstream_timeout": 1, ELSEWHERE: 1}
    assert (figures.asked, figures.answered, figures.total) == (2, 0, None)
    assert figures.bytes_out == 200


async def test_a_cost_that_cannot_be_told_makes_the_sum_unknown() -> None:
    """On this device everything costs nothing."""
    assert figures_of(await measured_with(LAB)).cost is None
    assert figures_of(await measured_with(HOME)).cost == 0
    assert figures_of(await measured_with(CLOUD, receipt(CLOUD), receipt(CLOUD, cost=None))).cost is None


async def test_why_a_backend_was_not_asked() -> None:
    """The policy's reason says more than that there was none."""
    kept = receipt(
        CLOUD,
        error="no_backend",
        outcome="failed",
        backend="",
        attempts=(),
        dropped=(DroppedRecord(backend="azure", reason="budget_spent"), DroppedRecord(backend="x", reason="failed")),
    )
    assert figures_of(await measured_with(CLOUD, kept)).errors == {"budget_spent": 1}


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_95_of_100_lie_within(values: list[float]) -> None:
    """And it is one of those that were measured, the lowest that holds for so many."""
    spread = Spread(tuple(values))
    assert spread.p95 in values
    assert sum(value <= spread.p95 for value in values) >= 0.95 * len(values)
    assert sum(value < spread.p95 for value in values) < 0.95 * len(values)
    assert min(values) <= spread.median <= max(values)


# What is said of it


async def three() -> tuple[Figures, ...]:
    """One backend of each place."""
    return (
        figures_of(await measured_with(HOME, receipt(HOME), receipt(HOME, first_token_seconds=0.1))),
        figures_of(await measured_with(LAB)),
        figures_of(await measured_with(CLOUD, receipt(CLOUD), receipt(CLOUD, total_seconds=12.0))),
    )


async def test_the_matrix() -> None:
    """Criteria against backends, with the best one of each where there is one."""
    rows = {row.title: row for row in matrix(await three(), "EUR")}
    assert rows["Place"].cells == ("this device", "your network", "cloud")
    assert rows["First word, median"].cells == ("0.30 s", "0.50 s", "0.50 s")
    assert rows["First word, median"].best == {0}
    assert rows["First word, 95 of 100 within"].cells == ("0.50 s", "0.50 s", "0.50 s")
    assert rows["Whole answer, median"].cells == ("2.00 s", "2.00 s", "7.00 s")
    assert rows["Whole answer, median"].best == {0, 1}
    assert rows["Tokens per second, median"].best == frozenset()
    assert rows["Cost of this comparison"].cells == ("nothing", "not known", "0.0030 EUR")
    assert rows["Privacy"].cells == (
        "nothing left this machine",
        "300 bytes left this machine",
        "300 bytes left this machine",
    )
    assert rows["Privacy"].best == {0}
    assert rows["Works offline"].cells == ("yes", "within your network", "no")
    assert rows["Context, tokens"].cells == ("4,096", "not known", "128,000")
    assert rows["Context, tokens"].best == {2}
    assert rows["Answered"].cells == ("2 of 2",) * 3
    assert rows["Errors"].cells == ("none",) * 3


async def test_a_backend_that_never_answered_is_best_at_nothing() -> None:
    """Although it sent nothing and cost nothing."""
    broken = figures_of(await measured_with(CLOUD, receipt(CLOUD, error="e", outcome="failed", bytes_out=0)))
    good = figures_of(await measured_with(LAB))
    for row in matrix((broken, good), "EUR"):
        assert 0 not in row.best or row.title == "Context, tokens"


def comparison_of(figures: tuple[Figures, ...], **more: object) -> Comparison:
    fields: dict[str, object] = {
        "figures": figures,
        "currency": "EUR",
        "made_at": datetime(2026, 11, 22, 10, 30, tzinfo=UTC),
        "machine": {"Processor": "Some processor", "Homeward": "0.1.0"},
        "prompts": ("First", "Second"),
        "repeat": 1,
        "max_tokens": 64,
        "command": "homeward compare --max-tokens 64",
        **more,
    }
    return Comparison(**fields)  # type: ignore[arg-type]


class Parsed(HTMLParser):
    """Tables by caption, elements with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(page)
        self.close()
        assert not self._open, "an element was not closed"

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "meta":
            return
        self._open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "table":
            self.tables.setdefault(self._caption, self._rows)

    def handle_data(self, data: str) -> None:
        self.text += data
        if "caption" in self._open:
            self._caption += data
        elif "td" in self._open or "th" in self._open:
            self._rows[-1][-1] += data


async def test_the_page_says_what_the_matrix_says() -> None:
    """Word for word, and marks the best."""
    figures = await three()
    page = Parsed(page_of(comparison_of(figures)))
    head, *lines = page.tables["The same prompts, asked of each backend"]
    assert head == ["", "llama", "lab", "azure"]
    rows = matrix(figures, "EUR")
    assert lines == [
        [row.title, *(f"{cell} best" if n in row.best else cell for n, cell in enumerate(row.cells))] for row in rows
    ]
    tasks = page.tables["Whole answer by task"]
    assert [[cell.removesuffix(" best") for cell in line] for line in tasks[1:]] == [
        [row.title, *row.cells] for row in task_rows(figures)
    ]


async def test_each_chart_stands_beside_its_numbers() -> None:
    """A title, a description and a table for those who don't see it; as many dots as answers, where they belong."""
    page = Parsed(page_of(comparison_of(await three())))
    titles = ["Until the first word", "Until the whole answer", "Tokens per second",
              "What left this machine", "What it cost"]  # fmt: skip
    assert [each["role"] for each in page.named("svg")] == ["img"] * len(titles)
    assert page.tables[titles[0]] == [
        ["Backend", "Median", "Lowest", "95 of 100", "Highest"],
        ["llama", "0.30 s", "0.10 s", "0.50 s", "0.50 s"],
        ["lab", "0.50 s", "0.50 s", "0.50 s", "0.50 s"],
        ["azure", "0.50 s", "0.50 s", "0.50 s", "0.50 s"],
    ]
    assert page.tables[titles[3]] == [["Backend", "Value"], ["llama", "nothing"], ["lab", "300"], ["azure", "300"]]
    assert page.tables[titles[4]][1:] == [["llama", "nothing"], ["lab", "not known"], ["azure", "0.0030 EUR"]]
    assert "llama: 0.30 s; lab: 0.50 s; azure: 0.50 s" in page.text
    dots = [float(each["cx"] or "") for each in page.named("circle")]
    assert len(dots) == 2 * 3 * 2
    assert dots[1] == pytest.approx(dots[0] / 5, abs=0.1) or dots[0] == pytest.approx(dots[1] / 5, abs=0.1)
    bars = [float(each["width"] or "") for each in page.named("rect")]
    assert bars[3] == 0
    assert bars[4] == bars[5] > 0


async def test_the_page_stands_alone() -> None:
    """No address, no script, nothing to be loaded."""
    text = page_of(comparison_of(await three()))
    page = Parsed(text)
    assert not re.search(r"(?i)https?:|//|url\(|@import|javascript:", text)
    assert {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "a", "object", "form"} == set()
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


async def test_the_page_says_how_it_was_made() -> None:
    """Machine, date, prompts by their titles, the command; no prompt's text."""
    page = Parsed(page_of(comparison_of(await three(), repeat=3)))
    for words in (
        "22 November 2026",
        "Some processor",
        "0.1.0",
        "First; Second",
        "3 times each",
        "homeward compare --max-tokens 64",
        "6 prompts to each of 3 backends",
    ):
        assert words in page.text
    assert "Write code" not in page.text


async def test_names_are_text() -> None:
    """Whatever a backend calls itself or its model."""
    hostile = msgspec.structs.replace(LAB, name='<script>"&', model="</td><img src=x>")
    page = Parsed(page_of(comparison_of((figures_of(await measured_with(hostile)),), command="a & <b>")))
    assert page.named("script") == page.named("img") == []
    assert '<script>"&' in page.text
    assert "a & <b>" in page.text


async def test_nothing_measured_is_a_page_as_well() -> None:
    broken = figures_of(await measured_with(HOME, receipt(HOME, error="e", outcome="failed")))
    page = Parsed(page_of(comparison_of((broken,))))
    assert page.tables["Until the first word"] == [["Backend", "Value"], ["llama", "not known"]]


@given(st.floats(1e-6, 1e9))
def test_an_axis_has_a_few_round_steps(highest: float) -> None:
    step = nice_step(highest)
    assert 1.9 < highest / step < 5.1
    assert float(f"{step:.0e}") == pytest.approx(step)
    assert f"{step:.0e}"[0] in "125"


def test_what_the_machine_is() -> None:
    """Named, with versions."""
    facts = machine_facts()
    assert {"Processor", "Memory", "System", "Homeward", "Python", "xllamacpp"} <= set(facts)
    assert all(facts.values())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_in_a_browser(tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    """Nothing to complain about in the console or for axe; nothing but the page scrolls to the side."""
    hard = (*await three(), figures_of(await measured_with(HOME, receipt(HOME, error="e" * 30, outcome="failed"))))
    path = tmp_path / "page.html"
    path.write_text(page_of(comparison_of(hard)), encoding="utf-8")
    axe = AXE.read_text(encoding="utf-8")
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        await page.goto(path.as_uri())
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await page.set_viewport_size({"width": 1200, "height": 900})
        await page.evaluate(axe)
        report = await page.evaluate("axe.run()")
        await browser.close()
    assert [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in report["violations"]] == []
    assert heard == []


# With everything behind it


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with serving() as upstream:
        yield upstream


def settings_with(folder: Path, upstream: FakeUpstream, further: str = "") -> Settings:
    """A cloud on loopback, and no model of this machine."""
    path = folder / "homeward.toml"
    path.write_text(f"""
[clouds.far]
url = "{upstream.base_url}"
model = "ok"
auth = "none"
input_price = 1000
output_price = 10000
[llama]
enabled = false
[foundry]
enabled = false
{further}
""")
    return load({"data_dir": folder / "data"}, config=path, environment={})


async def compared(settings: Settings, *, agreed: bool) -> Figures:
    """What comes of our own prompts, asked of the cloud."""
    async with configured(settings) as comparable:
        far = next(each for each in comparable.candidates if each.name == "far")
        assert (far.place, far.host, far.model, far.consented) == (Place.CLOUD, "127.0.0.1", "ok", False)
        if agreed:
            comparable.agree(["far"])
        measured = await measure(far, OURS, comparable.ask, repeat=1, max_tokens=32, show=lambda *_: None)
        return figures_of(measured)


async def test_what_a_cloud_is_asked_is_counted_and_on_record(tmp_path: Path, upstream: FakeUpstream) -> None:
    """Its own count of bytes, the figures and the audit log agree, byte for byte; so do the costs."""
    figures = await compared(settings_with(tmp_path, upstream), agreed=True)
    assert (figures.asked, figures.answered, figures.errors) == (8, 8, {})
    assert [each.body["messages"][-1]["content"] for each in upstream.requests] == [
        WARM_UP.text,
        *(prompt.text for prompt in OURS),
    ]
    on_record = [each.ended for each in transfers(read(tmp_path / "data" / FILE)) if each.ended]
    received = [each.raw_bytes for each in upstream.requests]
    assert [each.bytes_out for each in on_record] == received
    assert figures.bytes_out == sum(received)
    assert figures.cost == pytest.approx(9 * (7 * 1000 + 9 * 10000) / 1e6)
    assert sum(each.cost or 0 for each in on_record) == pytest.approx(figures.cost)
    log = (tmp_path / "data" / FILE).read_text()
    assert TEXT not in log
    assert not any(prompt.text[:20] in log for prompt in OURS)


@pytest.mark.parametrize(
    ("agreed", "further", "reason"),
    [
        (False, "", "no_consent"),
        (True, '[policy]\npreset = "local-only"', "place_not_allowed"),
        (True, "[budget]\nmonth = 0.001", "budget_spent"),
    ],
)
async def test_what_policy_keeps_home_is_not_compared(
    tmp_path: Path, upstream: FakeUpstream, agreed: bool, further: str, reason: str
) -> None:
    """Nothing reaches the cloud, and the table says why."""
    figures = await compared(settings_with(tmp_path, upstream, further), agreed=agreed)
    assert upstream.connections == 0
    assert (figures.errors, figures.bytes_out, figures.cost) == ({reason: 1}, 0, 0)


@pytest.mark.engine
async def test_the_model_of_this_machine(tmp_path: Path) -> None:
    """The starter answers; nothing is on record as having left."""
    settings = load({"data_dir": tmp_path}, environment={"HOMEWARD_LLAMA_THREADS": "1"})
    async with configured(settings) as comparable:
        (home,) = comparable.candidates
        assert home == Candidate(
            name="llama", place=Place.DEVICE, model="SmolLM2-135M-Instruct", host=home.host, context_tokens=4096
        )
        prompts = (Prompt(text="Say hello to Ann.", task="chat", title="Hello"),)
        figures = figures_of(await measure(home, prompts, comparable.ask, repeat=2, max_tokens=6, show=lambda *_: None))
    assert (figures.answered, figures.errors, figures.bytes_out, figures.cost) == (2, {}, 0, 0)
    assert figures.answer_tokens
    assert figures.answer_tokens.median <= 6
    assert figures.start
    assert not (tmp_path / FILE).exists()
