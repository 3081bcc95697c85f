"""Sentences that the server says on the page, in English and Korean.

Texts of buttons and the receipt's words live where they are shown (`public/`, `translations/`).
"""

from collections.abc import Mapping

from homeward.protocol.errors import HomewardError

Language = str
"""`en` or `ko`."""

KOREAN_ERRORS: Mapping[str, str] = {
    "invalid_request": "요청을 처리할 수 없습니다. 내용을 바꾸어 다시 시도하세요.",
    "context_length_exceeded": "메시지가 이 모델의 문맥 창보다 깁니다. 줄이거나 더 큰 모델을 선택하세요.",
    "overloaded": "지금은 자리가 없습니다. 잠시 후 다시 시도하세요.",
    "no_backend": "답변할 수 있는 모델이 없습니다. 설정에서 모델을 확인하세요.",
    "history_unavailable": "대화를 저장하지 못했습니다. 디스크 공간과 데이터 폴더를 확인한 뒤 다시 시도하세요.",
    "upstream_unreachable": "모델에 연결할 수 없습니다. 다시 시도하세요.",
    "upstream_timeout": "모델이 제때 답하지 않았습니다. 다시 시도하세요.",
    "upstream_disconnected": "답변 도중 모델과의 연결이 끊어졌습니다. 다시 시도하세요.",
    "upstream_protocol_error": "모델이 알 수 없는 형식으로 답했습니다. 다시 시도하세요.",
    "upstream_status": "모델이 요청을 거절했습니다. 다시 시도하세요.",
    "engine_error": "모델 엔진에 문제가 생겼습니다. 다시 시도하세요.",
    "engine_start_failed": "모델을 불러오지 못했습니다. 설정과 메모리를 확인한 뒤 다시 시도하세요.",
    "engine_closed": "Homeward가 종료되는 중입니다. 다시 시작한 뒤 시도하세요.",
    "internal_error": "Homeward 내부 오류입니다. 다시 시도하고, 반복되면 로그를 확인하세요.",
}

SENTENCES: Mapping[str, tuple[str, str]] = {
    "loading": ("The model is being loaded…", "모델을 불러오는 중입니다…"),
    "queued": (
        "The model is busy; waiting before this answer: {ahead}.",
        "모델이 다른 답변을 쓰는 중입니다. 앞에서 기다리는 요청: {ahead}개.",
    ),
    "not_saved": (
        "Your message was not saved, so nothing was asked.",
        "메시지가 저장되지 않아 모델에 묻지 않았습니다.",
    ),
    "answer_not_saved": (
        "This answer could not be saved; it will be gone after a reload.",
        "이 답변은 저장되지 않아 새로 고치면 사라집니다.",
    ),
    "killed": (
        "Homeward was ended while this answer was being written. Try again.",
        "답변을 쓰는 도중 Homeward가 종료되었습니다. 다시 시도하세요.",
    ),
    "unattended": (
        "The page was closed for too long; the answer was ended. Try again.",
        "페이지가 오래 닫혀 있어 답변을 끝냈습니다. 다시 시도하세요.",
    ),
    "shutdown": (
        "Homeward was shut down while this answer was being written. Try again.",
        "답변을 쓰는 도중 Homeward가 종료되었습니다. 다시 시도하세요.",
    ),
    "busy": ("An answer is still being written in this chat.", "이 대화에서 아직 답변을 쓰고 있습니다."),
    "stale": ("This answer can't be continued any more.", "이 답변은 더 이상 이어 쓸 수 없습니다."),
}

STARTERS: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Explain simply", "Explain in three sentences why the sky is blue."),
        ("Write a message", "Write a short, friendly message that thanks a colleague for their help."),
        ("Some Python", "Write a Python function that returns the n-th Fibonacci number."),
        ("Ideas", "Give me five ideas for a rainy afternoon."),
    ),
    "ko": (
        ("쉽게 설명", "하늘이 왜 파란지 세 문장으로 설명해 줘."),
        ("메시지 쓰기", "도와준 동료에게 고마움을 전하는 짧은 메시지를 써 줘."),
        ("파이썬 코드", "n번째 피보나치 수를 돌려주는 파이썬 함수를 써 줘."),
        ("아이디어", "비 오는 오후에 할 만한 일 다섯 가지를 알려 줘."),
    ),
}


def language_of(tag: str | None) -> Language:
    """The language that we have for a browser's tag (`ko-KR` → `ko`)."""
    return "ko" if (tag or "").lower().startswith("ko") else "en"


def say(key: str, language: Language) -> str:
    """One of our sentences."""
    english, korean = SENTENCES[key]
    return korean if language == "ko" else english


def problem_sentence(key: str, english: str, language: Language) -> str:
    """What went wrong, in the reader's language; English keeps the numbers and names that the error holds.

    `key` is an error's code, or one of our own sentences.
    """
    if key in SENTENCES:
        return say(key, language)
    return KOREAN_ERRORS.get(key, english) if language == "ko" else english


def sentence_of(error: HomewardError, language: Language) -> str:
    """The same for an error at hand."""
    return problem_sentence(error.code, str(error), language)
