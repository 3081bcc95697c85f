"""What embeddings are measured on: two small sets of questions and the passages that answer them.

`docs`: passages of this project's own pages, with questions written by hand. `library`: the first sentence of each of a
hundred docstrings of Python's standard library, and the rest of the docstring.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parent.parent / "docs"
PAGES = (
    *("policies", "privacy", "clouds", "own-models", "which-engine", "tasks", "compare", "receipts", "faults"),
    *("foundry-local", "decisions/000*", "decisions/001[0-5]*"),
)
PASSAGE_CHARACTERS = 700
MODULES = """
argparse ast asyncio base64 bisect calendar cmath collections configparser contextlib copy csv ctypes datetime
decimal difflib dis email enum fileinput fnmatch fractions functools gc getpass gettext glob gzip hashlib heapq hmac
html http imaplib inspect io ipaddress itertools json keyword linecache locale logging mailbox math mimetypes mmap
multiprocessing numbers operator os pathlib pdb pickle pkgutil platform plistlib pprint queue random re sched
secrets select shelve shlex shutil signal smtplib socket socketserver sqlite3 ssl stat statistics string struct
subprocess sys tarfile tempfile textwrap threading time timeit token tokenize trace traceback types typing unittest
urllib.parse urllib.request uuid venv warnings wave weakref webbrowser xml.etree.ElementTree zipfile zlib
"""
PAIRS, DOCSTRING_CHARACTERS = 100, 350


class Labelled(NamedTuple):
    """A set to search in."""

    passages: list[str]
    questions: list[str]
    answers: list[int]
    """For each question, the number of its passage."""


QUESTIONS = (
    (
        "policies.md",
        "The audit log calls these rules",
        "Which preset keeps programming tasks on my machine but lets creative writing go online?",
    ),
    (
        "policies.md",
        "**No rule adds to it**",
        "Can one of my rules send something to a place I removed from the list of places?",
    ),
    (
        "policies.md",
        "The **first** rule that matches decides",
        "If two rules fit the same question, which of them wins?",
    ),
    (
        "policies.md",
        "A night belongs to the day on which it begins",
        "How does a rule for Friday night behave after midnight?",
    ),
    ("policies.md", "an uncertain guess sends nothing", "What happens when it cannot tell what my question is about?"),
    (
        "policies.md",
        "you are asked; until then, the rest of the plan stands",
        "Do I have to agree before my words go to a provider for the first time?",
    ),
    (
        "policies.md",
        "a cloud is asked only if the dearest answer",
        "How does the monthly spending cap stop expensive requests?",
    ),
    (
        "policies.md",
        "asks the second one of a plan as well",
        "How do I make it ask two services at the same time when the first is slow?",
    ),
    (
        "policies.md",
        "the whole conversation is longer (estimated",
        "I want long chats handled differently. Which condition is that?",
    ),
    (
        "privacy.md",
        "What stands in images, audio, PDF",
        "Are the contents of pictures and PDFs checked for sensitive data?",
    ),
    (
        "privacy.md",
        "Names of people and companies, postal addresses",
        "Which kinds of personal information does the detector miss?",
    ),
    (
        "privacy.md",
        "well-known services by their documented forms",
        "Will it notice a credit card number or a secret token in my prompt?",
    ),
    (
        "privacy.md",
        "for all later turns, retries and continued answers",
        "Once a conversation contained something sensitive, can later messages still leave?",
    ),
    ("privacy.md", "in four disguises", "How was it tested that nothing leaks out?"),
    ("clouds.md", "which you chose; it need not be the", "What do I write as the model for Azure?"),
    ("clouds.md", "there is no key to keep", "How can I sign in to Azure without a password or key?"),
    ("clouds.md", "refuse the field `max_tokens`", "OpenAI complains about max_tokens. What should I change?"),
    ("clouds.md", "is for a machine of your own", "I have a GPU server at home in the same LAN. How do I add it?"),
    ("clouds.md", "the keyring of the system", "Where should I store my API key so that it is not in a file?"),
    ("clouds.md", "redirects are not followed", "Could my key be sent to another host by accident?"),
    (
        "clouds.md",
        "one request may try; each failure",
        "How long is a broken provider left alone before it is tried again?",
    ),
    ("clouds.md", "16 tokens at most", "What exactly is transmitted when I test a connection, and does it cost money?"),
    (
        "clouds.md",
        "a proxy in between: name its certificate file",
        "It says the certificate is not trusted. What can I do?",
    ),
    ("clouds.md", "no real cloud was asked", "Has this been tried with the actual providers?"),
    ("own-models.md", "Nothing is copied or changed", "If I register my own model, is the file duplicated?"),
    ("own-models.md", "needs converting first", "Can I use a safetensors file?"),
    ("own-models.md", "deletes only what", "How do I get rid of a model without losing my files?"),
    ("own-models.md", "Microsoft's builder knows", "How can I convert a model into ONNX format myself?"),
    ("own-models.md", "tokens before and after a call", "Why does function calling not work with my ONNX model?"),
    ("which-engine.md", "take a GGUF model", "I have no graphics card. Which format is better?"),
    (
        "which-engine.md",
        "that its catalogue has variants for",
        "I own a laptop with an NPU. Which runtime should I pick?",
    ),
    ("which-engine.md", "those that nobody", "What happens when a second model does not fit into RAM?"),
    (
        "which-engine.md",
        "What Homeward adds: 0.2",
        "How much slower are answers through this program than from the engine directly?",
    ),
    ("which-engine.md", "A crash, a hang, or memory", "What happens to my question if the engine crashes?"),
    (
        "tasks.md",
        "A temperature makes probabilities",
        "How is it decided that a guess about the task is certain enough?",
    ),
    ("tasks.md", "The beginning (700 characters)", "Which part of a long text does the classifier read?"),
    ("tasks.md", "calculation, proofs, puzzles", "What does the category for calculations and riddles include?"),
    ("tasks.md", "hardly better than chance", "Can it predict whether a small model will fail at a question?"),
    ("tasks.md", "it is missed in Korean", "How good is the task recognition for Korean prompts?"),
    (
        "compare.md",
        "two models that compute at once hinder each other",
        "Should the server be shut down while I run the comparison?",
    ),
    (
        "compare.md",
        "It says nothing about how good the answers are",
        "Does the benchmark judge the quality of the replies?",
    ),
    ("compare.md", "It holds", "Does the report file contain my prompts?"),
    ("compare.md", "Eight prompts of Homeward's own", "What questions are put to the backends in a comparison?"),
    (
        "receipts.md",
        "on disk before the first byte goes out",
        "What happens if the audit file cannot be written because the disk is full?",
    ),
    ("receipts.md", "stop Homeward and move the file away", "How do I start a fresh audit log?"),
    (
        "receipts.md",
        "bytes of the request that left this machine, headers included",
        "Where can I see how much data was uploaded for an answer?",
    ),
    ("decisions/0001", "an answer dies with", "Why are the chat framework's own message objects not used?"),
    (
        "decisions/0003",
        "is then ended as interrupted, with its text",
        "I closed the browser tab while it was still writing. How long does it go on?",
    ),
    ("decisions/0004", "pydantic-settings would save little", "Why was a library for configuration not used?"),
    (
        "decisions/0005",
        "turns go in steps of four",
        "Which old messages are dropped when a conversation gets too long?",
    ),
    ("decisions/0006", "drawn from", "Why are the buttons under an answer not the framework's own?"),
    ("decisions/0007", "30 tokens/s with one thread", "Why does it not use all processor cores?"),
    ("decisions/0008", "trigram index", "How does searching old chats deal with Korean words?"),
    ("decisions/0009", "Unloading gives 2 % of the memory back", "Why does each ONNX model run in its own process?"),
    (
        "decisions/0010",
        "Estimates of running models drift",
        "Why is the memory of running models measured instead of estimated?",
    ),
    (
        "decisions/0011",
        "What waits inside an engine is lost when it falls",
        "Where do requests queue up and why not inside the runtime?",
    ),
    ("decisions/0012", "A translation between two shapes", "Why is there only one representation of the rules?"),
    ("decisions/0013", "10 in hand, and a", "How are retry storms limited?"),
    (
        "decisions/0014",
        "misses exactly the request under which the program died",
        "Why is the log line written before sending rather than after?",
    ),
    ("decisions/0015", "loses comments when a table goes", "Why is the TOML file not edited with an existing library?"),
)
"""The page (or how its name begins), a phrase that only one passage of it holds, and a question that this passage
answers, in other words than the page's, as people ask who have not read it."""

KOREAN = (
    ("policies.md", "The **first** rule that matches decides", "두 규칙이 같은 질문에 맞으면 어느 것이 적용되나요?"),
    ("privacy.md", "What stands in images, audio, PDF", "이미지와 PDF의 내용도 개인정보 검사를 하나요?"),
    ("clouds.md", "the keyring of the system", "API 키를 파일이 아닌 어디에 저장해야 하나요?"),
    ("own-models.md", "Nothing is copied or changed", "내 모델을 등록하면 파일이 복사되나요?"),
    ("which-engine.md", "take a GGUF model", "그래픽 카드가 없으면 어떤 형식이 더 좋나요?"),
    (
        "receipts.md",
        "on disk before the first byte goes out",
        "디스크가 가득 차서 감사 로그를 쓸 수 없으면 어떻게 되나요?",
    ),
    ("decisions/0007", "30 tokens/s with one thread", "왜 모든 프로세서 코어를 사용하지 않나요?"),
    ("decisions/0010", "Estimates of running models drift", "왜 실행 중인 모델의 메모리를 추정하지 않고 측정하나요?"),
)
"""The same pages, asked in a language that they are not written in."""


def docs(questions: tuple[tuple[str, str, str], ...] = QUESTIONS) -> Labelled:
    """Questions and this project's pages. Ends the program where a page no longer holds what a question asks for."""
    found = list(_passages())
    answers = []
    for page, phrase, _ in questions:
        holding = [
            number
            for number, (name, text) in enumerate(found)
            if name.startswith(page) and phrase in " ".join(text.split())
        ]
        if len(holding) != 1:
            raise SystemExit(f"{page} was changed: {len(holding)} passages hold “{phrase}”.")
        answers += holding
    return Labelled([text for _, text in found], [text for *_, text in questions], answers)


def library() -> Labelled:
    """What Python's standard library says of itself."""
    pairs: dict[str, str] = {}
    for module_name in MODULES.split():
        module = importlib.import_module(module_name)
        for name, member in sorted(vars(module).items()):
            own = getattr(member, "__module__", None) in (module_name, f"_{module_name}")
            if own and callable(member) and not name.startswith("_"):
                first, _, rest = (inspect.getdoc(member) or "").partition("\n\n")
                sentence, text = " ".join(first.split()), rest.strip()
                if 30 <= len(sentence) <= 150 and sentence.endswith(".") and len(text) >= 120 and text[:3] != ">>>":
                    pairs.setdefault(sentence, text[:DOCSTRING_CHARACTERS])
    chosen = list(pairs.items())[:: max(1, len(pairs) // PAIRS)][:PAIRS]
    return Labelled([text for _, text in chosen], [sentence for sentence, _ in chosen], list(range(len(chosen))))


def _passages() -> Iterator[tuple[str, str]]:
    """Pieces of all pages, each with its page's name and under its heading."""
    for path in (path for page in PAGES for path in sorted(DOCS.glob(f"{page}.md"))):
        name = path.relative_to(DOCS).as_posix()
        heading, piece = "", ""
        for paragraph in _paragraphs(path.read_text(encoding="utf-8")):
            if paragraph.startswith("#"):
                if piece:
                    yield name, f"{heading}\n{piece}"
                heading, piece = paragraph.lstrip("# "), ""
            elif len(piece) + len(paragraph) > PASSAGE_CHARACTERS and piece:
                yield name, f"{heading}\n{piece}"
                piece = paragraph
            else:
                piece = f"{piece}\n{paragraph}" if piece else paragraph
        if piece:
            yield name, f"{heading}\n{piece}"


def _paragraphs(text: str) -> Iterator[str]:
    """Headings and paragraphs; one that is too long for a passage, as tables are, comes line by line."""
    for paragraph in re.split(r"\n\s*\n", text):
        heading = re.match(r"#+ .*", paragraph)
        if heading:
            yield heading[0]
        rest = paragraph[heading.end() if heading else 0 :].strip()
        if rest:
            yield from [rest] if len(rest) <= PASSAGE_CHARACTERS else rest.split("\n")
