"""Train the prompt classifier and write its weights.

    python -m tools.train_tasks [--data ../shared/data/prompts] [--write]

Reads the examples in `training/tasks` and the public sets in the data folder (see `docs/tasks.md` for their licences),
prints how well the result does on examples that were not trained on, and with `--write` replaces
`src/homeward/routing/tasks/weights.bin`. The same inputs give the same file. About four minutes on one core; needs the
packages of the dependency group `train`.
"""

import argparse
import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold
from tools.task_examples import (
    ROOT,
    Example,
    Judged,
    composed_examples,
    inputs,
    own_examples,
    own_judgements,
    public_examples,
    public_judgements,
    rows,
)

from homeward.config.policy import Task
from homeward.routing.tasks.features import features
from homeward.routing.tasks.weights import WEIGHTS_FILE, Header, row_of, unpack

TASKS = get_args(Task)
WORD_ROWS, CUE_ROWS = 2**15, 2**12
INVERSE_REGULARISATION = 10
SOURCE_WEIGHTS = {"own": 2.0, "composed": 0.5, "arena": 0.3, "humaneval": 0.2, "mmlu": 0.2, "gsm8k": 0.2}
ACCURACY_OF_THE_CERTAIN = 0.97
SHARE_NAMED = 0.9  # of the plainly easy prompts that are to be called easy, and of the hard ones hard


def main() -> None:
    """Train, report, and write if asked to."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/prompts")
    arguments.add_argument("--write", action="store_true")
    options = arguments.parse_args()

    examples = [*own_examples(), *composed_examples(), *public_examples(options.data)]
    judged = [*own_judgements(), *public_judgements(options.data)]
    print(f"{len(examples)} examples of tasks, {len(judged)} judged as demanding or not")
    task_model = fit(examples)
    demanding_model = fit_demanding(judged)

    calibration = [
        Example(row["text"], row["task"], "calibration", row["language"]) for row in rows("calibration.jsonl")
    ]
    scores = left_out_scores(judged)
    content = pack(task_model, demanding_model, calibration, name_difficulty(judged, scores), inputs(options.data))
    report_tasks(examples, task_model, calibration)
    report_demanding(judged, scores)
    print(f"{len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    if options.write:
        WEIGHTS_FILE.write_bytes(content)


def matrix(texts: Sequence[str]) -> csr_matrix:
    """A row for each text: first the columns of its words, then those of its cues, each part of length one."""
    found = [features(text) for text in texts]
    parts = (
        block([one.words for one in found], WORD_ROWS),
        block([one.cues for one in found], CUE_ROWS),
    )
    return csr_matrix(hstack(parts, format="csr"))


def block(names: Sequence[frozenset[str]], columns: int) -> csr_matrix:
    """One part of the matrix."""
    taken = [sorted({row_of(name, columns) for name in each}) for each in names]
    values = [value for each in taken for value in [len(each) ** -0.5] * len(each)]
    starts = [0, *itertools.accumulate(len(each) for each in taken)]
    return csr_matrix((values, list(itertools.chain(*taken)), starts), shape=(len(names), columns))


def fit(examples: Sequence[Example]) -> LogisticRegression:
    """The model of the tasks."""
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=500, tol=1e-4)
    weights = [SOURCE_WEIGHTS[example.source] for example in examples]
    targets = [TASKS.index(example.task) for example in examples]
    return model.fit(matrix([example.text for example in examples]), targets, weights)


def fit_demanding(judged: Sequence[Judged]) -> LogisticRegression:
    """The model of what is demanding; our own few judgements weigh as much as the many outcomes."""
    own = sum(one.source == "own" for one in judged)
    weights = [1.0 if one.source == "own" else own / (len(judged) - own) for one in judged]
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=500, tol=1e-4, class_weight="balanced")
    return model.fit(matrix([one.text for one in judged]), [one.demanding for one in judged], weights)


def pack(
    task_model: LogisticRegression,
    demanding_model: LogisticRegression,
    calibration: Sequence[Example],
    difficulty: tuple[float, float],
    provenance: dict[str, str],
) -> bytes:
    """The file: header and bytes."""
    lanes = np.vstack([task_model.coef_, demanding_model.coef_])
    word_bytes, word_scales = quantise(lanes[:, :WORD_ROWS])
    cue_bytes, cue_scales = quantise(lanes[:, WORD_ROWS:])
    biases = [*task_model.intercept_, *demanding_model.intercept_]
    header = Header(
        tasks=TASKS,
        word_rows=WORD_ROWS,
        cue_rows=CUE_ROWS,
        word_scales=word_scales,
        cue_scales=cue_scales,
        biases=tuple(round(float(bias), 6) for bias in biases),
        task_temperature=1.0,
        certain_from=0.0,
        easy_to=difficulty[0],
        hard_from=difficulty[1],
        inputs=provenance,
    )
    body = word_bytes + cue_bytes
    temperature, certain_from = calibrate(header, body, calibration)
    header = msgspec.structs.replace(header, task_temperature=temperature, certain_from=certain_from)
    return msgspec.json.encode(header) + b"\n" + body


def quantise(lanes: NDArray[np.float64]) -> tuple[bytes, tuple[float, ...]]:
    """Weights as bytes, a row for each feature, and what a step is worth in each lane."""
    scales = np.abs(lanes).max(axis=1) / 127
    steps = np.rint(lanes / scales[:, None]).astype(np.int16) + 128
    return steps.T.astype(np.uint8).tobytes(), tuple(float(scale) for scale in scales)


def calibrate(header: Header, body: bytes, calibration: Sequence[Example]) -> tuple[float, float]:
    """The temperature under which the right tasks are likeliest, and from where on guesses are nearly always right."""
    ready = unpack(msgspec.json.encode(header) + b"\n" + body)
    scores = np.array([ready.scores(features(example.text))[: len(TASKS)] for example in calibration])
    targets = np.array([TASKS.index(example.task) for example in calibration])

    def unlikeliness(temperature: float) -> float:
        return float(-np.log(softmax(scores / temperature)[np.arange(len(targets)), targets]).mean())

    temperature = min((round(0.4 + 0.02 * step, 2) for step in range(100)), key=unlikeliness)
    likely = softmax(scores / temperature)
    right = likely.argmax(axis=1) == targets
    thresholds = [round(0.3 + 0.01 * step, 2) for step in range(65)]
    good = (line for line in thresholds if right[likely.max(axis=1) >= line].mean() >= ACCURACY_OF_THE_CERTAIN)
    return temperature, next(good)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities, by row."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def report_tasks(examples: Sequence[Example], model: LogisticRegression, calibration: Sequence[Example]) -> None:
    """How well it does on our own examples when a quarter of them is left out, and on the calibration part."""
    own = [example for example in examples if example.source == "own"]
    others = [example for example in examples if example.source != "own"]
    guessed = np.zeros(len(own), dtype=np.int64)
    splits = StratifiedKFold(4, shuffle=True, random_state=0).split(own, [one.task + one.language for one in own])
    for kept, left_out in splits:
        part = fit([*(own[number] for number in kept), *others])
        guessed[left_out] = part.predict(matrix([own[number].text for number in left_out]))
    macro("own, a quarter left out", own, guessed)
    macro("calibration part", calibration, model.predict(matrix([example.text for example in calibration])))


def macro(title: str, examples: Sequence[Example], guessed: NDArray[np.int64]) -> None:
    """One line for each language."""
    for language in ("en", "ko"):
        chosen = [number for number, example in enumerate(examples) if example.language == language]
        targets = [TASKS.index(examples[number].task) for number in chosen]
        print(f"{title}, {language}: macro-F1 {f1_score(targets, guessed[chosen], average='macro'):.3f}")


def left_out_scores(judged: Sequence[Judged]) -> NDArray[np.float64]:
    """The score of each prompt by a model that saw neither it nor its subject."""
    scores = np.zeros(len(judged))
    for kept, left_out in GroupKFold(5).split(judged, groups=[one.group for one in judged]):
        model = fit_demanding([judged[number] for number in kept])
        scores[left_out] = 1 / (
            1 + np.exp(-model.decision_function(matrix([judged[number].text for number in left_out])))
        )
    return scores


def name_difficulty(judged: Sequence[Judged], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Up to which score a prompt is called easy, and from which one hard: so that most of our own judgements hold."""
    easy = [score for score, one in zip(scores, judged, strict=True) if one.source == "own" and not one.demanding]
    hard = [score for score, one in zip(scores, judged, strict=True) if one.source == "own" and one.demanding]
    return round(float(np.quantile(easy, SHARE_NAMED)), 3), round(float(np.quantile(hard, 1 - SHARE_NAMED)), 3)


def report_demanding(judged: Sequence[Judged], scores: NDArray[np.float64]) -> None:
    """The area under the ROC curve with whole subjects left out."""
    for source in ("own", "mmlu", "gsm8k"):
        chosen = [number for number, one in enumerate(judged) if one.source == source]
        area = roc_auc_score([judged[number].demanding for number in chosen], scores[chosen])
        print(f"demanding, {source}: AUC {area:.3f} of {len(chosen)}")


if __name__ == "__main__":
    main()
