"""What the user reads about a decision."""

from collections.abc import Mapping
from typing import get_args

import pytest

from homeward.config.policy import NOT_RULES, Difficulty, May, Preset, Task
from homeward.protocol.place import Place
from homeward.routing import Attempt, Dropped, Facts, Plan, Question, explain, words
from homeward.routing.plan import Reason
from homeward.routing.presets import BY_TASK, COMPLEX

LANGUAGES = ("en", "ko")
LLAMA = Attempt(backend="llama", place=Place.DEVICE, reason="place_order")
AZURE = Attempt(backend="azure", place=Place.CLOUD, model="gpt", reason="place_order", masked=True)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (words.PRESETS, get_args(Preset)),
        (words.PLACES, tuple(Place)),
        (words.TASKS, get_args(Task)),
        (words.DIFFICULTIES, get_args(Difficulty)),
        (words.REASONS, get_args(Reason)),
        (words.RULES, tuple(NOT_RULES)),
        (words.RULES_OF_PRESETS, tuple({rule.name for rule in (*BY_TASK, *COMPLEX.values())})),
    ],
)
def test_everything_has_its_words_in_both_languages(said: Mapping[str, words.Said], names: tuple[str, ...]) -> None:
    """Nothing is missing, nothing is left over, and Korean is Korean."""
    assert set(said) == set(names)
    for english, korean in said.values():
        assert english.isascii()
        assert any("가" <= letter <= "힣" for letter in korean)


def test_reasons_are_sentences() -> None:
    """They can stand alone."""
    for reason in get_args(Reason):
        assert words.reason_sentence(reason, "en").endswith(".")
        assert words.reason_sentence(reason, "ko").endswith("니다.")
    assert words.reason_sentence("too_long", "fr") == words.reason_sentence("too_long", "en")


def test_a_rule_goes_by_its_name() -> None:
    """The preset's in the user's language, the user's own as it was given, whatever characters it has."""
    assert words.rule_sentence("chosen", "en") == "You chose who answers."
    assert words.rule_sentence("code at home", "en") == "The rule “code at home” matched."
    assert words.rule_sentence("code at home", "ko") == "“코드는 이 기기에서” 규칙에 해당합니다."
    assert words.rule_sentence("my {0} rule", "en") == "The rule “my {0} rule” matched."


def test_a_whole_explanation() -> None:
    """What was known, what decided, who is asked, who is not."""
    facts = Facts(task="code", complexity="hard", tokens=1234, may_leave="mask", findings=frozenset({"email", "card"}))
    dropped = (
        Dropped(backend="openai", reason="resting", sentence="Its quota is used up."),
        Dropped(backend="server", reason="no_consent"),
    )
    plan = Plan(attempts=(LLAMA, AZURE), dropped=dropped, rule="complex")
    english = "llama (this device), azure (the cloud, gpt, with placeholders)"
    assert explain(facts, plan, "en") == (
        "What it is about: code.",
        "How difficult it looks: hard.",
        "Its length: about 1,234 tokens.",
        "Found in it: card, email. It leaves this device only with placeholders instead.",
        "The rule “demanding requests to the cloud first” matched.",
        f"Asked in this order, the next one only while no word has come: {english}.",
        "Not asked: openai. It failed a moment ago, or asked to be left alone for a while. Its quota is used up.",
        "Not asked: server. You have not agreed yet that anything is sent there.",
    )
    korean = "llama (이 기기), azure (클라우드, gpt, 가린 뒤)"
    assert explain(facts, plan, "ko", ("카드 번호", "이메일 주소")) == (
        "요청의 종류: 코드.",
        "난이도: 어려움.",
        "길이: 약 1,234 토큰.",
        "발견된 것: 카드 번호, 이메일 주소. 기기 밖으로는 그 부분을 가린 뒤에만 보냅니다.",
        "“어려운 요청은 클라우드에서 먼저” 규칙에 해당합니다.",
        f"첫 단어가 오기 전에 실패하면 다음으로 넘어가며, 순서는 다음과 같습니다: {korean}.",
        "묻지 않는 곳: openai. 조금 전에 실패했거나 잠시 요청을 받지 않겠다고 했습니다. Its quota is used up.",
        "묻지 않는 곳: server. 그곳으로 보내는 데 아직 동의하지 않으셨습니다.",
    )


def test_what_is_not_known_is_said() -> None:
    """And that no rule counts on it."""
    said = explain(Facts(), Plan(attempts=(LLAMA,)), "en")
    assert said == (
        "What it is about can't be told for certain, so no rule about tasks counts.",
        "How demanding it is can't be told from the text, so no rule about that counts.",
        "Its length: about 0 tokens.",
        "It could not be checked completely for personal data and secrets. So it stays on this device.",
        "No rule matched, so the order of places in your policy counts.",
        "Asked: llama (this device).",
    )


@pytest.mark.parametrize(
    ("may_leave", "approved", "sentence"),
    [
        ("home", False, "So it stays on this device."),
        ("home", True, "So it stays on this device."),
        ("ask", False, "So you are asked before it leaves this device."),
        ("ask", True, "You agreed that it leaves this device."),
        ("mask", True, "It leaves this device only with placeholders instead."),
        ("allow", False, "Your settings let it leave this device as it is."),
    ],
)
def test_it_says_what_becomes_of_findings(may_leave: May, approved: bool, sentence: str) -> None:
    """As the user chose."""
    facts = Facts(may_leave=may_leave, approved=approved, findings=frozenset({"email"}))
    assert f"Found in it: email. {sentence}" in explain(facts, Plan(), "en")


def test_a_conversation_that_stays_home_says_nothing_of_leaving() -> None:
    """What the settings would let out doesn't matter any more."""
    said = explain(Facts(may_leave="allow", findings=frozenset({"email"}), stays_home=True), Plan(), "en")
    assert "Found in it: email." in said
    assert words.reason_sentence("thread_stays_home", "en") in said


def test_it_says_that_nothing_was_found() -> None:
    """Of a known form; that is all that can be said."""
    said = explain(Facts(may_leave="allow", attachments=True), Plan(), "en")
    assert "No personal data or secrets of a known form were found." in said
    assert "Something is attached." in said


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ("consent", "azure (the cloud) would come first: you are asked whether anything may go there."),
        ("findings", "azure (the cloud) would come first: you are asked whether what was found may go there."),
    ],
)
def test_it_says_what_the_user_is_asked(about: str, sentence: str) -> None:
    """Before who is asked for the answer."""
    question = Question(about="consent" if about == "consent" else "findings", backend="azure", place=Place.CLOUD)
    said = explain(Facts(), Plan(attempts=(LLAMA,), question=question), "en")
    assert said.index(sentence) + 1 == said.index("Asked: llama (this device).")


def test_it_says_that_nobody_can_be_asked_and_until_when() -> None:
    """Rounded up, so that another try then is not too early."""
    said = explain(Facts(), Plan(retry_after_seconds=11.2), "en")
    assert said[-2:] == ("Nobody can be asked.", "Try again in 12 s.")
    assert explain(Facts(), Plan(), "en")[-1] == "Nobody can be asked."


def test_it_says_that_two_may_cost() -> None:
    """Where the second one begins while the first one is late."""
    said = explain(Facts(), Plan(attempts=(LLAMA, AZURE), hedge=True), "en")
    assert said[-1] == "If the first word is late, the second one is asked as well; both may cost."


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_has_gaps(language: str) -> None:
    """Every placeholder is filled."""
    question = Question(about="findings", backend="azure", place=Place.CLOUD)
    plan = Plan(attempts=(LLAMA, AZURE), question=question, hedge=True, retry_after_seconds=1)
    facts = Facts(task="chat", complexity="easy", findings=frozenset({"email"}), attachments=True)
    assert not any("{" in sentence for sentence in explain(facts, plan, language))


def test_every_place_has_a_name() -> None:
    """In both languages, each its own."""
    for language in ("en", "ko"):
        assert len({words.place_name(place, language) for place in Place}) == len(Place)
