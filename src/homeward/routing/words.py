"""Everything that is said to the user about a decision, in English and Korean."""

import math
from collections.abc import Collection, Iterator, Mapping

from homeward.config.policy import Difficulty, Preset, Task
from homeward.protocol.place import Place
from homeward.routing.plan import Attempt, Dropped, Facts, Plan, Question, Reason

Said = tuple[str, str]
"""English, Korean."""
# ruff: noqa: ISC004  # pairs of long sentences

PRESETS: Mapping[Preset, Said] = {
    "local-first": (
        "This device answers; your network, and then the cloud, only where it can't. "
        "If you like, demanding requests go to the cloud first.",
        "이 기기에서 답하고, 그럴 수 없을 때만 내 네트워크, 그다음 클라우드를 씁니다. "
        "원하면 어려운 요청은 클라우드에 먼저 보냅니다.",
    ),
    "by-task": (
        "Code and data analysis stay on this device; creative writing and research go to the cloud first; "
        "everything else begins on this device.",
        "코드와 데이터 분석은 이 기기에서만, 창작과 조사는 클라우드에서 먼저, 나머지는 이 기기에서 먼저 처리합니다.",
    ),
    "local-only": ("Answers are made on this device only.", "이 기기에서만 답합니다."),
    "cloud-first": (
        "The cloud answers; where it can't, your network, and then this device.",
        "클라우드에서 답하고, 그럴 수 없으면 내 네트워크, 그다음 이 기기에서 답합니다.",
    ),
}

PLACES: Mapping[Place, Said] = {
    Place.DEVICE: ("this device", "이 기기"),
    Place.NETWORK: ("your network", "내 네트워크"),
    Place.CLOUD: ("the cloud", "클라우드"),
    Place.BROWSER: ("the browser", "브라우저"),
}

TASKS: Mapping[Task, Said] = {
    "code": ("code", "코드"),
    "creative": ("creative writing", "창작"),
    "data": ("data analysis", "데이터 분석"),
    "knowledge": ("research and knowledge", "조사와 지식"),
    "summarise": ("summary", "요약"),
    "translate": ("translation", "번역"),
    "maths": ("maths and reasoning", "수학과 추론"),
    "chat": ("conversation", "일상 대화"),
}

DIFFICULTIES: Mapping[Difficulty, Said] = {
    "easy": ("easy", "쉬움"),
    "medium": ("medium", "보통"),
    "hard": ("hard", "어려움"),
}

RULES: Mapping[str, Said] = {
    "chosen": ("You chose who answers.", "답할 곳을 직접 고르셨습니다."),
    "mode": ("You chose where the answer is made.", "어디에서 답할지 직접 고르셨습니다."),
    "place_order": (
        "No rule matched, so the order of places in your policy counts.",
        "맞는 규칙이 없어 정책에 정해진 장소 순서를 따릅니다.",
    ),
}

RULES_OF_PRESETS: Mapping[str, Said] = {
    "complex": ("demanding requests to the cloud first", "어려운 요청은 클라우드에서 먼저"),
    "code at home": ("code at home", "코드는 이 기기에서"),
    "creative in the cloud": ("creative writing in the cloud first", "창작은 클라우드에서 먼저"),
    "data at home": ("data analysis at home", "데이터 분석은 이 기기에서"),
    "knowledge in the cloud": ("research in the cloud first", "조사는 클라우드에서 먼저"),
}

REASONS: Mapping[Reason, Said] = {
    "place_not_allowed": ("Your policy doesn't allow this place.", "정책에서 허용하지 않는 장소입니다."),
    "not_in_rule": ("The rule that counts here doesn't name it.", "적용된 규칙에 들어 있지 않습니다."),
    "not_in_mode": ("You asked for an answer on this device.", "이 기기에서만 답하도록 고르셨습니다."),
    "not_in_request": (
        "The request, or the key that came with it, allows no answer from there.",
        "요청이나 함께 온 키가 그곳의 답변을 허용하지 않습니다.",
    ),
    "not_chosen": ("You chose another one.", "다른 곳을 고르셨습니다."),
    "thread_stays_home": (
        "Personal data or secrets were found earlier in this conversation, so all of it stays on this device.",
        "이 대화의 앞부분에서 개인 정보나 비밀이 발견되어 대화 전체를 이 기기에서만 처리합니다.",
    ),
    "findings": (
        "Personal data or secrets were found, or the text could not be checked completely; so it stays on this device.",
        "개인 정보나 비밀이 발견되었거나 끝까지 검사하지 못해 이 기기에서만 처리합니다.",
    ),
    "findings_unasked": (
        "Personal data or secrets were found, and you have not agreed that they leave this device.",
        "개인 정보나 비밀이 발견되었고, 기기 밖으로 보내는 데 아직 동의하지 않으셨습니다.",
    ),
    "no_consent": (
        "You have not agreed yet that anything is sent there.",
        "그곳으로 보내는 데 아직 동의하지 않으셨습니다.",
    ),
    "price_unknown": (
        "You set a budget, but the prices of this model are not in the configuration.",
        "예산이 정해져 있지만 이 모델의 가격이 설정에 없습니다.",
    ),
    "budget_spent": (
        "The answer could cost more than is left of this month's budget.",
        "답변 비용이 이번 달 남은 예산을 넘을 수 있습니다.",
    ),
    "cant_see": ("Its model can't see images.", "이 모델은 이미지를 볼 수 없습니다."),
    "too_long": ("The conversation is too long for its model.", "대화가 이 모델에는 너무 깁니다."),
    "resting": (
        "It failed a moment ago, or asked to be left alone for a while.",
        "조금 전에 실패했거나 잠시 요청을 받지 않겠다고 했습니다.",
    ),
    "failed": ("It can't answer now.", "지금은 답할 수 없습니다."),
}

_TASK_UNKNOWN: Said = (
    "What it is about can't be told for certain, so no rule about tasks counts.",
    "요청의 종류를 확실히 알 수 없어 종류에 따른 규칙은 적용하지 않습니다.",
)
_DIFFICULTY_UNKNOWN: Said = (
    "How demanding it is can't be told from the text, so no rule about that counts.",
    "글만으로는 난이도를 알 수 없어 난이도에 따른 규칙은 적용하지 않습니다.",
)
_FOUND_NOTHING: Said = (
    "No personal data or secrets of a known form were found.",
    "알려진 형식의 개인 정보나 비밀은 발견되지 않았습니다.",
)
_NOT_CHECKED: Said = (
    "It could not be checked completely for personal data and secrets.",
    "개인 정보와 비밀이 있는지 끝까지 검사하지 못했습니다.",
)
_LEAVING: Mapping[str, Said] = {
    "home": ("So it stays on this device.", "그래서 이 기기에서만 처리합니다."),
    "ask": ("So you are asked before it leaves this device.", "그래서 기기 밖으로 보내기 전에 먼저 물어봅니다."),
    "approved": ("You agreed that it leaves this device.", "기기 밖으로 보내는 데 동의하셨습니다."),
    "mask": (
        "It leaves this device only with placeholders instead.",
        "기기 밖으로는 그 부분을 가린 뒤에만 보냅니다.",
    ),
    "allow": ("Your settings let it leave this device as it is.", "설정에 따라 그대로 기기 밖으로 보낼 수 있습니다."),
}
_QUESTIONS: Mapping[str, Said] = {
    "consent": (
        "{} would come first: you are asked whether anything may go there.",
        "{}에 먼저 물을 수 있습니다. 그곳으로 보내도 되는지 확인합니다.",
    ),
    "findings": (
        "{} would come first: you are asked whether what was found may go there.",
        "{}에 먼저 물을 수 있습니다. 발견된 내용을 그곳으로 보내도 되는지 확인합니다.",
    ),
}


def explain(facts: Facts, plan: Plan, language: str, kinds: Collection[str] = ()) -> tuple[str, ...]:
    """A decision in sentences: what was known, what decided, who is asked in which order, who is not and why.

    `language` is `ko` for Korean; any other gives English. `kinds` is how findings are called in it.
    """
    return (
        *_known(facts, language, kinds or sorted(facts.findings)),
        rule_sentence(plan.rule, language),
        *_asked(plan, language),
        *(_not_asked(each, language) for each in plan.dropped),
    )


def reason_sentence(reason: Reason, language: str) -> str:
    """Why a backend is not asked."""
    return _say(REASONS[reason], language)


def place_name(place: Place, language: str) -> str:
    """What a place is called."""
    return _say(PLACES[place], language)


def rule_sentence(rule: str, language: str) -> str:
    """What decided; the user's own rule by the name that it was given."""
    if rule in RULES:
        return _say(RULES[rule], language)
    name = _say(RULES_OF_PRESETS.get(rule, (rule, rule)), language)
    return _say(("The rule “{}” matched.", "“{}” 규칙에 해당합니다."), language).format(name)


def _say(said: Said, language: str) -> str:
    english, korean = said
    return korean if language == "ko" else english


def _known(facts: Facts, language: str, kinds: Collection[str]) -> Iterator[str]:
    if facts.task is None:
        yield _say(_TASK_UNKNOWN, language)
    else:
        yield _say(("What it is about: {}.", "요청의 종류: {}."), language).format(_say(TASKS[facts.task], language))
    if facts.complexity is None:
        yield _say(_DIFFICULTY_UNKNOWN, language)
    else:
        difficulty = _say(DIFFICULTIES[facts.complexity], language)
        yield _say(("How difficult it looks: {}.", "난이도: {}."), language).format(difficulty)
    yield _say(("Its length: about {:,} tokens.", "길이: 약 {:,} 토큰."), language).format(facts.tokens)
    if facts.attachments:
        yield _say(("Something is attached.", "첨부된 것이 있습니다."), language)
    yield _found(facts, language, kinds)
    if facts.stays_home:
        yield reason_sentence("thread_stays_home", language)


def _found(facts: Facts, language: str, kinds: Collection[str]) -> str:
    if not facts.findings and facts.may_leave == "allow":
        return _say(_FOUND_NOTHING, language)
    found = _say(("Found in it: {}.", "발견된 것: {}."), language) if facts.findings else _say(_NOT_CHECKED, language)
    found = found.format(", ".join(kinds))
    if facts.stays_home:
        return found
    leaving = "approved" if facts.may_leave == "ask" and facts.approved else facts.may_leave
    return f"{found} {_say(_LEAVING[leaving], language)}"


def _asked(plan: Plan, language: str) -> Iterator[str]:
    if plan.question:
        yield _question(plan.question, language)
    order = ", ".join(_attempt(attempt, language) for attempt in plan.attempts)
    if not plan.attempts:
        yield _say(("Nobody can be asked.", "물어볼 수 있는 곳이 없습니다."), language)
    elif len(plan.attempts) == 1:
        yield _say(("Asked: {}.", "물어볼 곳: {}."), language).format(order)
    else:
        yield _say(
            (
                "Asked in this order, the next one only while no word has come: {}.",
                "첫 단어가 오기 전에 실패하면 다음으로 넘어가며, 순서는 다음과 같습니다: {}.",
            ),
            language,
        ).format(order)
    if plan.hedge:
        yield _say(
            (
                "If the first word is late, the second one is asked as well; both may cost.",
                "첫 단어가 늦으면 두 번째에도 함께 묻습니다. 비용이 양쪽에서 들 수 있습니다.",
            ),
            language,
        )
    if plan.retry_after_seconds is not None:
        wait = math.ceil(plan.retry_after_seconds)
        yield _say(("Try again in {} s.", "{}초 뒤에 다시 시도해 주세요."), language).format(wait)


def _question(question: Question, language: str) -> str:
    backend = f"{question.backend} ({_say(PLACES[question.place], language)})"
    return _say(_QUESTIONS[question.about], language).format(backend)


def _attempt(attempt: Attempt, language: str) -> str:
    """A backend with its place, its model and whether findings are masked."""
    details = [_say(PLACES[attempt.place], language), attempt.model]
    if attempt.masked:
        details.append(_say(("with placeholders", "가린 뒤"), language))
    return f"{attempt.backend} ({', '.join(filter(None, details))})"


def _not_asked(dropped: Dropped, language: str) -> str:
    said = _say(("Not asked: {}. {}", "묻지 않는 곳: {}. {}"), language)
    return f"{said.format(dropped.backend, reason_sentence(dropped.reason, language))} {dropped.sentence}".rstrip()
