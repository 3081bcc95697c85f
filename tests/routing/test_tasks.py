"""What a prompt is about, and how demanding it looks."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.routing.tasks import Assessment, assess, classify, complexity
from homeward.routing.tasks.features import HEAD_CHARACTERS, TAIL_CHARACTERS, Features, features
from homeward.routing.tasks.weights import row_of, unpack, weights

EXAMPLES = Path(__file__).resolve().parents[2] / "training/tasks"
PASTED = (
    "The council met on Tuesday evening. Ms Hale presented the plans for the old harbour, which were met with some "
    "doubt. The costs have risen to four million. A vote was put off until the engineers have looked at the quay wall. "
) * 12
MACRO_F1_FLOORS = {  # two to three points below what was measured, see docs/tasks.md
    ("heldout_plain", "en"): 0.94,
    ("heldout_plain", "ko"): 0.87,
    ("heldout", "en"): 0.86,
    ("heldout", "ko"): 0.79,
}


def held_out(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLES / f"{name}.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Write a Python function that merges two sorted lists.", "code"),
        ("파이썬으로 두 정렬된 리스트를 합치는 함수 짜줘", "code"),
        ("Write a short poem about the first frost.", "creative"),
        ("첫눈에 대한 짧은 시를 써 주세요", "creative"),
        ("Which column has an outlier? a,b\n1,2\n2,300\n3,4", "data"),
        ("엑셀 표에서 열별 평균 구하고 이상치 찾아줘", "data"),
        ("Why do leaves change colour in autumn?", "knowledge"),
        ("단풍은 왜 드는지 설명해 주세요", "knowledge"),
        ("Summarise this article in three bullet points.", "summarise"),
        ("이 기사를 세 줄로 요약해줘", "summarise"),
        ("Translate into Korean: The shop is closed today.", "translate"),
        ("다음 문장을 영어로 번역해 주세요: 오늘은 쉽니다.", "translate"),
        ("Solve 4x - 7 = 21 and show the steps.", "maths"),
        ("이차방정식 x^2-5x+6=0 풀어줘", "maths"),
        ("hi, how are you?", "chat"),
        ("오늘 너무 힘들었어ㅠㅠ", "chat"),
    ],
)
def test_plain_requests_are_recognised_with_certainty(text: str, task: str) -> None:
    """Every task in both languages."""
    guess = classify(text)
    assert (guess.task, guess.uncertain) == (task, False)


@pytest.mark.parametrize(
    ("instruction", "task"),
    [
        ("Summarise the text.", "summarise"),
        ("Translate this into German.", "translate"),
        ("요약해 주세요.", "summarise"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_the_instruction_counts_wherever_it_stands(instruction: str, task: str, first: bool) -> None:
    """Before or after a text that is longer than what is read."""
    parts = [instruction, PASTED] if first else [PASTED, instruction]
    assert classify("\n\n".join(parts)).task == task


def test_the_middle_of_a_long_text_is_not_read() -> None:
    """The work is bounded by reading the beginning and the end only."""
    head, tail = "Summarise: ".ljust(HEAD_CHARACTERS, "a"), "z" * TAIL_CHARACTERS
    assert assess(head + "one" + tail) == assess(head + "def f(): return 1\n" * 50_000 + tail)


@pytest.mark.parametrize(
    "text", ["", "   \n\t ", "😀😀🎉", "\x00\x01\x1b[2J", "\ud800", "ﷺ" * 1000, "?!…", "qzxv " * 200_000]
)
def test_what_tells_nothing_is_uncertain(text: str) -> None:
    """Empty, signs only, damaged, unknown words, a megabyte of them: a guess, marked as uncertain."""
    assert classify(text).uncertain


@given(st.text())
def test_any_text_has_an_answer_in_bounds(text: str) -> None:
    """Nothing raises, and the numbers are what they claim to be."""
    found = assess(text)
    assert found.task.task != found.task.runner_up
    assert 0 < found.task.runner_up_probability <= found.task.probability <= 1
    assert 0 <= found.complexity.score <= 1
    assert bool(found.complexity.evidence) == (found.complexity.difficulty is not None)
    assert found.complexity.evidence or found.complexity.score == 0.5


def test_both_facts_are_those_of_one_reading() -> None:
    """`classify` and `complexity` are parts of `assess`."""
    text = "Prove that the square root of three is irrational."
    assert assess(text) == Assessment(task=classify(text), complexity=complexity(text))


@pytest.mark.parametrize("seed", ["0", "1"])
def test_another_process_gives_the_same_answer(seed: str) -> None:
    """Whatever order its sets have."""
    text = "Explain recursion 설명해줘 in two sentences"
    script = f"from homeward.routing.tasks import assess; print(repr(assess({text!r})))"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == repr(assess(text))


@pytest.mark.parametrize(("name", "language"), MACRO_F1_FLOORS)
def test_held_out_examples_are_told_apart(name: str, language: str) -> None:
    """Macro-F1 over the eight tasks on prompts that nothing was trained on."""
    rows = [row for row in held_out(name) if row["language"] == language]
    pairs = [(row["task"], classify(row["text"]).task) for row in rows]
    assert sum(f1_scores(pairs)) / 8 >= MACRO_F1_FLOORS[name, language]


def f1_scores(pairs: Sequence[tuple[str, str]]) -> Iterator[float]:
    for task in weights().header.tasks:
        hits = pairs.count((task, task))
        yield 2 * hits / max(1, sum((label == task) + (guess == task) for label, guess in pairs))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_called_certain_is_nearly_always_right(language: str) -> None:
    """And certainty is not so rare that it is of no use."""
    rows = [row for name in ("heldout", "heldout_plain") for row in held_out(name) if row["language"] == language]
    guesses = [(classify(row["text"]), row["task"]) for row in rows]
    certain = [guess.task == task for guess, task in guesses if not guess.uncertain]
    assert sum(certain) / len(certain) >= 0.93
    assert len(certain) / len(rows) >= 0.5


def test_hard_requests_score_above_easy_ones() -> None:
    """Where the text gives evidence, on prompts that nothing was trained on."""
    rows = [(complexity(row["text"]), row["hard"]) for row in held_out("heldout") if "hard" in row]
    hard = [found.score for found, is_hard in rows if is_hard and found.evidence]
    easy = [found.score for found, is_hard in rows if not is_hard and found.evidence]
    assert min(len(hard), len(easy)) >= 10
    assert sum(high > low for high in hard for low in easy) >= 0.9 * len(hard) * len(easy)


@pytest.mark.parametrize("name", ["heldout", "heldout_difficulty"])
def test_the_word_for_the_difficulty_is_seldom_the_wrong_end(name: str) -> None:
    """Hard is hardly ever called easy, nor easy hard; in the second set the hard ones are short, the easy ones long."""
    rows = [(complexity(row["text"]).difficulty, row["hard"]) for row in held_out(name) if "hard" in row]
    named = [(word == "hard", is_hard) for word, is_hard in rows if word in ("easy", "hard")]
    assert len(named) >= 10
    assert sum(said == is_hard for said, is_hard in named) >= 0.9 * len(named)


@pytest.mark.parametrize(
    ("text", "difficulty"),
    [
        ("thanks!", "easy"),
        ("Could you explain this code?\n```\nfor i in range(3): print(i)\n```", "medium"),
        (
            "Prove rigorously that every compact metric space is complete, and give a counterexample to the converse.",
            "hard",
        ),
        ("Wer hat das Rad erfunden und wann?", None),
    ],
)
def test_the_score_is_said_in_a_word(text: str, difficulty: str | None) -> None:
    """One of three, or none where there is no evidence."""
    assert complexity(text).difficulty == difficulty


def test_evidence_is_named() -> None:
    """What the score rests on can be shown."""
    assert "small_talk" in complexity("thanks!").evidence
    assert "demanding_words" in complexity("Prove the theorem rigorously.").evidence
    assert "code" in complexity("What does this do?\n```\nx += 1\n```").evidence
    assert complexity("Wer hat das Rad erfunden und wann?").evidence == ()


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("day,mugs,caps\nMon,3,4", "table"),
        ("1. wash\n2. dry", "list"),
        ("why?", "question"),
        ("x = f(1)", "call"),
        ("```\nx\n```", "fence"),
        ("안녕하세요", "Hangul"),
        ("이 문장 good morning everyone", "two scripts"),
        ("これは何ですか", "other script"),
    ],
)
def test_the_shape_of_a_text_is_a_feature(text: str, cue: str) -> None:
    """Of this text, and not of a plain one."""
    assert cue in features(text).cues
    assert cue not in features("a plain sentence").cues


def test_sums_are_those_of_the_bytes() -> None:
    """Adding rows as big numbers is the same as adding every lane by itself."""
    ready, found = weights(), features("Translate this to Korean: good morning")
    header = ready.header
    lanes = len(header.biases)
    for lane in range(lanes):
        expected = header.biases[lane]
        for names, table, scales in (
            (found.words, ready.words[::3], header.word_scales),
            (found.cues, ready.cues[::3], header.cue_scales),
        ):
            rows = {row_of(name, len(table) // lanes) for name in names}
            expected += sum(table[row * lanes + lane] - 128 for row in rows) / len(rows) ** 0.5 * scales[lane]
        assert ready.scores(found)[lane] == pytest.approx(expected)


def test_no_features_leave_the_bias() -> None:
    """Nothing known, nothing added."""
    assert weights().scores(Features(frozenset(), frozenset())) == list(weights().header.biases)


def test_a_damaged_header_is_refused() -> None:
    """Rather than read as numbers."""
    with pytest.raises(Exception, match="missing required field"):
        unpack(b"{}\n" + bytes(90))
