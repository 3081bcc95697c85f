"""The classifier: a prompt's task and how demanding it looks."""

import math
from collections.abc import Collection, Sequence
from typing import Literal, cast

import msgspec

from homeward.config.policy import Difficulty, Task
from homeward.routing.tasks.features import Features, features
from homeward.routing.tasks.weights import weights

Evidence = Literal[
    "demanding_words", "several_conditions", "several_parts", "long", "code", "small_talk", "short_question"
]
"""What in the text speaks for or against a demanding request."""


class TaskGuess(msgspec.Struct, frozen=True, kw_only=True):
    """The most likely task."""

    task: Task
    """`creative` is all writing and rewording, letters too; `data` also extracting and labelling; `maths` also puzzles
    and estimates; `knowledge` also advice; `chat` is small talk and what only makes sense within the conversation."""
    probability: float
    """How often such guesses are right, 0 to 1."""
    uncertain: bool
    """Whether the guess is too weak to act on: treat the task as unknown."""
    runner_up: Task
    runner_up_probability: float


class Complexity(msgspec.Struct, frozen=True, kw_only=True):
    """How likely a small model is to fall short."""

    score: float
    """0 to 1; 0.5 where the text gives no evidence."""
    difficulty: Difficulty | None
    """The score in a word; None where the text gives no evidence."""
    evidence: tuple[Evidence, ...]
    """What the score rests on; empty means that the text tells nothing and the score must not steer anything."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Both facts about one prompt."""

    task: TaskGuess
    complexity: Complexity


def assess(text: str) -> Assessment:
    """Both facts from one reading; about a millisecond, whatever the length. Never raises."""
    found = features(text)
    *task_scores, demanding_score = weights().scores(found)
    task = _guess(task_scores, found)
    return Assessment(task=task, complexity=_complexity(demanding_score, task, found))


def classify(text: str) -> TaskGuess:
    """What a prompt asks for."""
    return assess(text).task


def complexity(text: str) -> Complexity:
    """How demanding a prompt looks."""
    return assess(text).complexity


def _guess(scores: Sequence[float], found: Features) -> TaskGuess:
    header = weights().header
    best = max(scores)
    odds = [math.exp((score - best) / header.task_temperature) for score in scores]
    ranked = sorted(zip(odds, header.tasks, strict=True), reverse=True)
    (first, task), (second, runner_up) = ranked[0], ranked[1]
    probability = first / sum(odds)
    return TaskGuess(
        task=cast("Task", task),
        probability=probability,
        uncertain=probability < header.certain_from or not _readable(found.cues),
        runner_up=cast("Task", runner_up),
        runner_up_probability=second / sum(odds),
    )


def _readable(cues: Collection[str]) -> bool:
    """Whether there is a word that the lexicon knows; without one a guess rests on look-alikes only."""
    return "most nothing" not in cues


def _complexity(score: float, task: TaskGuess, found: Features) -> Complexity:
    evidence = tuple(_evidence(task, found.cues))
    if not evidence:
        return Complexity(score=0.5, difficulty=None, evidence=())
    likely = 1 / (1 + math.exp(-score))
    return Complexity(score=likely, difficulty=_difficulty(likely), evidence=evidence)


def _difficulty(score: float) -> Difficulty:
    header = weights().header
    if score >= header.hard_from:
        return "hard"
    return "easy" if score <= header.easy_to else "medium"


def _evidence(task: TaskGuess, cues: Collection[str]) -> list[Evidence]:
    signs: list[tuple[Evidence, bool]] = [
        ("demanding_words", "demanding" in cues),
        ("several_conditions", "many constraint" in cues),
        ("several_parts", "list" in cues),
        ("long", "length 9" in cues),
        ("code", "code line" in cues or "fence" in cues),
        ("small_talk", task.task == "chat" and not task.uncertain),
        ("short_question", bool({f"length {bits}" for bits in range(1, 6)} & set(cues)) and not task.uncertain),
    ]
    return [name for name, holds in signs if holds]
