"""The prompts that the classifier is trained on: our own in `training/tasks`, and parts of public sets."""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from homeward.routing.tasks.lexicon import LEXICON_FILE

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "training/tasks"
OWN_FILES = ("prompts.en.jsonl", "prompts.ko.jsonl", "instructions.jsonl", "materials.jsonl", "calibration.jsonl")
PUBLIC_FILES = (
    "arena_hard_v2.jsonl",
    "humaneval.jsonl.gz",
    "routellm_mmlu_outcomes.csv.gz",
    "routellm_gsm8k_outcomes.csv.gz",
)
MATERIALS_PER_INSTRUCTION = 4
MMLU_KNOWLEDGE, MMLU_MATHS, GSM8K_MATHS = 700, 150, 250
MMLU_OUTCOMES = 3000
ARENA_TASKS = {"coding": "code", "creative_writing": "creative", "math": "maths"}
MATHS_SUBJECTS = {
    "abstract_algebra",
    "college_mathematics",
    "elementary_mathematics",
    "formal_logic",
    "high_school_mathematics",
    "high_school_statistics",
}
UNCLEAR_SUBJECTS = {  # as much calculation or code as knowledge
    "college_computer_science",
    "college_physics",
    "econometrics",
    "high_school_computer_science",
    "high_school_physics",
    "machine_learning",
}


class Example(NamedTuple):
    """A prompt whose task is known."""

    text: str
    task: str
    source: str
    language: str = "en"


class Judged(NamedTuple):
    """A prompt of which is known whether a small model falls short of it."""

    text: str
    demanding: bool
    source: str
    group: str
    """What must not be on both sides of a split."""


def rows(name: str) -> list[dict[str, Any]]:
    """The lines of one of our own files."""
    return json_lines((EXAMPLES / name).read_bytes())


def json_lines(content: bytes) -> list[dict[str, Any]]:
    """The values in a file of one JSON value a line."""
    return [json.loads(line) for line in content.splitlines()]


def own_rows() -> list[dict[str, Any]]:
    """Our own prompts, both languages."""
    return rows("prompts.en.jsonl") + rows("prompts.ko.jsonl")


def own_examples() -> Iterator[Example]:
    """The prompts that were written one by one."""
    for row in own_rows():
        yield Example(row["text"], row["task"], "own", row["language"])


def composed_examples() -> Iterator[Example]:
    """Instructions with something pasted before or after them."""
    materials = rows("materials.jsonl")
    for row in rows("instructions.jsonl"):
        instruction, language = row["instruction"], row["language"]
        fitting = [material for material in materials if fits(material, row)]
        fitting.sort(key=lambda material: digest(material["text"] + instruction))
        for number, material in enumerate(fitting[:MATERIALS_PER_INSTRUCTION]):
            pasted = material["text"]
            if material["material"] == "code" and number % 2:
                pasted = f"```\n{pasted}\n```"
            gap = ("\n\n", "\n\n", "\n", " ")[number % 4]
            parts = (instruction, pasted) if (number + digest(instruction)) % 2 else (pasted, instruction)
            yield Example(gap.join(parts), row["task"], "composed", language)


def fits(material: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether an instruction may be given about a material; one in four is in the other language."""
    kind, language = row["material"], row["language"]
    if material["material"] != kind:
        return False
    if kind == "foreign":
        return bool(material["language"] != language)
    same = material["language"] in (language, "any")
    return same or digest(material["text"] + row["instruction"]) % 4 == 0


def public_examples(data: Path) -> Iterator[Example]:
    """The parts of the public sets whose task is plain."""
    for row in json_lines((data / "arena_hard_v2.jsonl").read_bytes()):
        yield Example(row["prompt"], ARENA_TASKS[row["subcategory"]], "arena")
    for row in json_lines(gzip.decompress((data / "humaneval.jsonl.gz").read_bytes())):
        yield Example(row["prompt"], "code", "humaneval")
    questions = table(data / "routellm_mmlu_outcomes.csv.gz")
    knowledge = [row[1] for row in questions if row[0] not in MATHS_SUBJECTS | UNCLEAR_SUBJECTS]
    maths = [row[1] for row in questions if row[0] in MATHS_SUBJECTS]
    for task, prompts, count in (("knowledge", knowledge, MMLU_KNOWLEDGE), ("maths", maths, MMLU_MATHS)):
        for prompt in sorted(prompts, key=digest)[:count]:
            yield Example(without_choices(prompt), task, "mmlu")
    stories = [columns[0] for columns in table(data / "routellm_gsm8k_outcomes.csv.gz")]
    for story in sorted(stories, key=digest)[:GSM8K_MATHS]:
        yield Example(story, "maths", "gsm8k")


def without_choices(prompt: str) -> str:
    """Four in five lose their choices A to D: nobody types those."""
    return prompt.rsplit("\nA. ", 1)[0] if digest(prompt) % 5 else prompt


def own_judgements() -> Iterator[Judged]:
    """Our own prompts that are plainly easy or plainly hard."""
    for row in own_rows():
        if "hard" in row:
            yield Judged(row["text"], row["hard"], "own", str(digest(row["text"])))


def public_judgements(data: Path) -> Iterator[Judged]:
    """Whether Mixtral-8x7B's recorded answers were wrong."""
    questions = sorted(table(data / "routellm_mmlu_outcomes.csv.gz"), key=lambda row: digest(row[1]))
    for row in questions[:MMLU_OUTCOMES]:
        yield Judged(without_choices(row[1]), row[2] != "True", "mmlu", row[0])
    for row in table(data / "routellm_gsm8k_outcomes.csv.gz"):
        yield Judged(row[0], row[1] != "True", "gsm8k", "gsm8k")


def table(path: Path) -> list[list[str]]:
    """The rows of a compressed CSV file, without its heading."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def digest(text: str) -> int:
    """A number that only depends on the text: chance that repeats itself."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def inputs(data: Path) -> dict[str, str]:
    """The hash of every file that the weights come from."""
    files = [*(EXAMPLES / name for name in OWN_FILES), *(data / name for name in PUBLIC_FILES), LEXICON_FILE]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
