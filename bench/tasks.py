"""How well prompts are told apart by task and by difficulty, beside simpler rules, and what it costs.

    python -m bench.tasks [--data ../shared/data/prompts] [--litellm /path/to/a/venv/with/litellm/bin/python]

Sets that the training has not seen: our held-out examples (English and Korean), and MT-Bench and Vicuna by other
authors. Beside it stand the rules of the sample that this project began from, and LiteLLM's (pip install litellm).
"""

import argparse
import csv
import gzip
import hashlib
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from bench.task_rules import LITELLM_TASKS, LiteLlm, ask_litellm, sample_keywords
from homeward.config.policy import Difficulty
from homeward.routing.tasks import assess
from homeward.routing.tasks.features import features
from homeward.routing.tasks.weights import weights

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "training/tasks"
FOUR = ("code", "creative", "knowledge", "maths")
EIGHT = (*FOUR, "data", "summarise", "translate", "chat")
MT_BENCH_TASKS = {
    "coding": "code",
    "math": "maths",
    "reasoning": "maths",
    "writing": "creative",
    "roleplay": "creative",
    "stem": "knowledge",
    "humanities": "knowledge",
}
VICUNA_TASKS = {
    "coding": "code",
    "math": "maths",
    "fermi": "maths",
    "writing": "creative",
    "roleplay": "creative",
    "generic": "knowledge",
    "knowledge": "knowledge",
    "common-sense": "knowledge",
    "counterfactual": "knowledge",
}
WORDS = (*get_args(Difficulty), None)
MMLU_OUTCOMES_TRAINED_ON = 3000  # the first by hash, as in tools/train_tasks.py

MEMORY_PROGRAM = """
import time, psutil
import homeward.routing.plan
process = psutil.Process()
before, began = process.memory_info().rss, time.perf_counter()
from homeward.routing.tasks import assess
assess("hello")
print(f"{(process.memory_info().rss - before) / 2**20:.1f} MB, {(time.perf_counter() - began) * 1000:.0f} ms to load")
"""


class Prompt(NamedTuple):
    """A text and its right label."""

    text: str
    label: str


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/prompts")
    arguments.add_argument("--litellm", help="a Python interpreter that can import litellm")
    options = arguments.parse_args()

    own = {
        f"{title}, {language}": held_out(name, language)
        for title, name in (("held out, plain", "heldout_plain"), ("held out, odd", "heldout"))
        for language in ("en", "ko")
    }
    public = public_sets(options.data)
    judged = {
        "held out": held_out_judged("heldout"),
        "held out, length misleads": held_out_judged("heldout_difficulty"),
        **mmlu_outcomes(options.data),
    }
    texts = [prompt.text for prompts in [*own.values(), *public.values(), *judged.values()] for prompt in prompts]
    litellm = ask_litellm(options.litellm, texts)

    print_tasks(own, public, litellm)
    print_complexity(judged, litellm)
    print_cost([prompt.text for prompts in [*own.values(), *public.values()] for prompt in prompts])


# Sets


def held_out(name: str, language: str) -> list[Prompt]:
    """Our own examples that nothing was trained on."""
    return [Prompt(row["text"], row["task"]) for row in json_lines(name) if row["language"] == language]


def held_out_judged(name: str) -> list[Prompt]:
    """Those of them that are plainly easy or plainly hard."""
    return [Prompt(row["text"], str(row["hard"])) for row in json_lines(name) if "hard" in row]


def json_lines(name: str) -> list[dict[str, str]]:
    """The rows of one of our own files."""
    return [json.loads(line) for line in (EXAMPLES / f"{name}.jsonl").read_bytes().splitlines()]


def public_sets(data: Path) -> dict[str, list[Prompt]]:
    """The first turns of MT-Bench and Vicuna; nothing where the folder is missing."""
    found = {}
    for name, labels in (("mt_bench", MT_BENCH_TASKS), ("vicuna_bench", VICUNA_TASKS)):
        path = data / f"{name}.jsonl"
        if not path.exists():
            print(f"{path} is missing: {name} is left out")
            continue
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        found[name] = [Prompt(row["turns"][0], labels[row["category"]]) for row in rows if row["category"] in labels]
    return found


def mmlu_outcomes(data: Path) -> dict[str, list[Prompt]]:
    """Questions outside the training, and whether Mixtral-8x7B's recorded answer was wrong."""
    path = data / "routellm_mmlu_outcomes.csv.gz"
    if not path.exists():
        print(f"{path} is missing: MMLU outcomes are left out")
        return {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    rows.sort(key=lambda row: hashlib.sha256(row[1].encode()).digest()[:8])
    return {"MMLU": [Prompt(row[1], str(row[2] != "True")) for row in rows[MMLU_OUTCOMES_TRAINED_ON:]]}


# Rules


def homeward_open(text: str) -> str:
    """Our guess among the eight tasks."""
    return assess(text).task.task


def homeward_of_four(text: str) -> str:
    """Our guess when only the four tasks are possible."""
    scores = dict(zip(weights().header.tasks, weights().scores(features(text)), strict=False))
    return max(FOUR, key=lambda task: scores[task])


# Tables


def print_tasks(
    own: Mapping[str, list[Prompt]], public: Mapping[str, list[Prompt]], litellm: Mapping[str, LiteLlm]
) -> None:
    """Accuracy and macro-F1, then each task, then how far probabilities can be trusted."""
    rules: dict[str, Callable[[str], str]] = {"Homeward": homeward_open, "sample's keywords": sample_keywords}
    if litellm:
        rules["LiteLLM's rules"] = lambda text: LITELLM_TASKS[litellm[text].task]
    print("\nTask: accuracy (macro-F1)\n| set | prompts | tasks | " + " | ".join(rules) + " |")
    for name, prompts in own.items():
        print_row(name, prompts, EIGHT, rules)
        print_row(name, [prompt for prompt in prompts if prompt.label in FOUR], FOUR, rules)
    pooled = [prompt for prompts in public.values() for prompt in prompts]
    for name, prompts in {**public, "both public sets": pooled}.items():
        print_row(f"{name}, eight open", prompts, FOUR, rules)
        print_row(f"{name}, one of the four", prompts, FOUR, {**rules, "Homeward": homeward_of_four})

    print("\nHomeward, right by task, and confidence")
    print("| set | " + " | ".join(EIGHT) + " | certain | right when certain | calibration error |")
    for name, prompts in {**own, **public}.items():
        shares = [share_right([p for p in prompts if p.label == task], homeward_open) for task in EIGHT]
        guesses = [assess(prompt.text).task for prompt in prompts]
        right = [guess.task == prompt.label for guess, prompt in zip(guesses, prompts, strict=True)]
        certain = [good for good, guess in zip(right, guesses, strict=True) if not guess.uncertain]
        error = calibration_error([guess.probability for guess in guesses], right)
        print(
            f"| {name} | {' | '.join(shares)} | {len(certain) / len(prompts):.0%} | "
            f"{statistics.mean(certain):.3f} | {error:.3f} |"
        )


def print_row(
    name: str, prompts: Sequence[Prompt], tasks: Sequence[str], rules: Mapping[str, Callable[[str], str]]
) -> None:
    """One set, each rule's accuracy and macro-F1."""
    cells = []
    for rule in rules.values():
        guessed = [rule(prompt.text) for prompt in prompts]
        right = statistics.mean(guess == prompt.label for guess, prompt in zip(guessed, prompts, strict=True))
        cells.append(f"{right:.3f} ({macro_f1([prompt.label for prompt in prompts], guessed, tasks):.3f})")
    print(f"| {name} | {len(prompts)} | {len(tasks)} | {' | '.join(cells)} |")


def share_right(prompts: Sequence[Prompt], rule: Callable[[str], str]) -> str:
    """The share of right guesses."""
    return f"{statistics.mean(rule(prompt.text) == prompt.label for prompt in prompts):.2f}" if prompts else "-"


def macro_f1(labels: Sequence[str], guessed: Sequence[str], tasks: Sequence[str]) -> float:
    """The mean over the tasks of F1."""
    scores = []
    for task in tasks:
        hits = sum(label == guess == task for label, guess in zip(labels, guessed, strict=True))
        scores.append(2 * hits / max(1, labels.count(task) + list(guessed).count(task)))
    return statistics.mean(scores)


def calibration_error(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """The expected difference between probability and truth, in ten bins of equal width."""
    total = 0.0
    for tenth in range(10):
        chosen = [n for n, probability in enumerate(probabilities) if min(9, int(probability * 10)) == tenth]
        if chosen:
            difference = statistics.mean(probabilities[n] for n in chosen) - statistics.mean(right[n] for n in chosen)
            total += len(chosen) * abs(difference)
    return total / len(probabilities)


def print_complexity(judged: Mapping[str, list[Prompt]], litellm: Mapping[str, LiteLlm]) -> None:
    """The chance that a demanding prompt is scored above one that is not."""
    rules: dict[str, Callable[[str], float]] = {
        "Homeward": lambda text: assess(text).complexity.score,
        "word count": lambda text: len(text.split()),
    }
    if litellm:
        rules["LiteLLM v1"] = lambda text: litellm[text].complexity
        rules["LiteLLM v2"] = lambda text: litellm[text].complexity_v2
    print("\nDemanding or not: AUC\n| set | prompts | " + " | ".join(rules) + " | Homeward: with evidence, AUC there |")
    for name, prompts in judged.items():
        areas = [area([(rule(prompt.text), prompt.label == "True") for prompt in prompts]) for rule in rules.values()]
        assessed = [(assess(prompt.text).complexity, prompt.label == "True") for prompt in prompts]
        known = [(complexity.score, demanding) for complexity, demanding in assessed if complexity.evidence]
        cells = " | ".join(f"{value:.3f}" for value in areas)
        print(f"| {name} | {len(prompts)} | {cells} | {len(known) / len(prompts):.0%}, {area(known):.3f} |")

    print("\nThe word for it\n| set | " + " | ".join(map(str, WORDS)) + " |")
    for name, prompts in judged.items():
        for kind, label in (("demanding", "True"), ("not", "False")):
            said = [assess(prompt.text).complexity.difficulty for prompt in prompts if prompt.label == label]
            shares = " | ".join(f"{said.count(word) / len(said):.0%}" for word in WORDS)
            print(f"| {name}, {kind} | {shares} |")


def area(scored: Sequence[tuple[float, bool]]) -> float:
    """The area under the ROC curve; ties count half; not a number where all prompts are of one kind."""
    if len({positive for _, positive in scored}) < 2:
        return math.nan
    ranks: dict[float, list[bool]] = {}
    for score, positive in scored:
        ranks.setdefault(score, []).append(positive)
    below = wins = 0.0
    for score in sorted(ranks):
        positives = sum(ranks[score])
        negatives = len(ranks[score]) - positives
        wins += positives * (below + negatives / 2)
        below += negatives
    return wins / (below * (len(scored) - below))


def print_cost(texts: Sequence[str]) -> None:
    """Time per prompt, and what a process grows by."""
    times = []
    for text in [*texts, "x " * 500_000]:
        began = time.perf_counter()
        assess(text)
        times.append((time.perf_counter() - began) * 1000)
    quantiles = statistics.quantiles(times[:-1], n=100)
    print(f"\nCost: median {statistics.median(times[:-1]):.2f} ms, p95 {quantiles[94]:.2f} ms, 1 MB {times[-1]:.2f} ms")
    answer = subprocess.run([sys.executable, "-c", MEMORY_PROGRAM], capture_output=True, check=True, text=True)
    print(f"Memory added: {answer.stdout.strip()}")


if __name__ == "__main__":
    main()
