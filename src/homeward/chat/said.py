"""The sentences themselves, English and Korean; `texts` chooses among them."""

from collections.abc import Mapping

Said = tuple[str, str]
"""English, Korean."""

KOREAN_ERRORS: Mapping[str, str] = {
    "invalid_request": "요청을 처리할 수 없습니다. 내용을 바꾸어 다시 시도하세요.",
    "context_length_exceeded": "메시지가 이 모델의 문맥 창보다 깁니다. 줄이거나 더 큰 모델을 선택하세요.",
    "queue_full": "기다리는 요청이 너무 많습니다. 잠시 후 다시 시도하세요.",
    "overloaded": "지금은 자리가 없습니다. 잠시 후 다시 시도하세요.",
    "no_backend": "지금 답변할 수 있는 모델이 없습니다. 모델과 정책을 확인한 뒤 다시 시도하세요.",
    "nobody_allowed": "선택한 조건으로는 답변할 수 있는 모델이 없습니다. 다른 곳이나 모델을 고르세요.",
    "not_allowed": "정책, 개인 정보 설정, 동의나 예산 때문에 답할 모델이 없습니다. 정책 페이지를 확인하세요.",
    "images_not_supported": "이미지를 볼 수 있는 모델이 없습니다. 이미지를 빼거나 다른 모델을 선택하세요.",
    "backend_busy": "답변할 수 있는 모델이 모두 바쁩니다. 잠시 후 다시 시도하세요.",
    "backend_resting": "조금 전에 실패해 잠시 쉬게 두었습니다. 잠시 후 다시 시도하세요.",
    "findings": "발견된 내용을 가릴 수 없어 아무것도 보내지 않았습니다.",
    "audit_unavailable": "감사 기록을 쓸 수 없어 아무것도 보내지 않았습니다. 디스크 공간과 데이터 폴더를 확인하세요.",
    "history_unavailable": "대화를 저장하지 못했습니다. 디스크 공간과 데이터 폴더를 확인한 뒤 다시 시도하세요.",
    "upstream_key_missing": "키나 로그인이 없어 묻지 않았습니다. 설정을 확인하세요.",
    "upstream_unreachable": "모델에 연결할 수 없습니다. 다시 시도하세요.",
    "upstream_timeout": "모델이 제때 답하지 않았습니다. 다시 시도하세요.",
    "upstream_disconnected": "답변 도중 모델과의 연결이 끊어졌습니다. 다시 시도하세요.",
    "upstream_protocol_error": "모델이 알 수 없는 형식으로 답했습니다. 다시 시도하세요.",
    "upstream_status": "모델이 요청을 거절했습니다. 다시 시도하세요.",
    "tab_failed": "이 브라우저에서 모델을 실행하지 못했습니다.",
    "engine_error": "모델 엔진에 문제가 생겼습니다. 다시 시도하세요.",
    "engine_start_failed": "모델을 불러오지 못했습니다. 설정과 메모리를 확인한 뒤 다시 시도하세요.",
    "engine_closed": "Homeward가 종료되는 중입니다. 다시 시작한 뒤 시도하세요.",
    "internal_error": "Homeward 내부 오류입니다. 다시 시도하고, 반복되면 로그를 확인하세요.",
}

ENDINGS: Mapping[str, Said] = {
    "answered": ("answered", "응답함"),
    "stopped": ("stopped by you", "사용자가 중지함"),
    "broken_off": ("broken off", "중단됨"),
    "overtaken": ("ended, because another one was faster", "다른 곳이 더 빨라 끝냄"),
    "failed": ("failed", "실패"),
    "no_backend": ("not asked after all", "결국 묻지 않음"),
    "backend_busy": ("left alone for a while, because it is busy", "바빠서 잠시 쉬게 둠"),
    "backend_resting": ("left alone for a while", "잠시 쉬게 둠"),
    "queue_full": ("too many waiting", "대기 중인 요청이 너무 많음"),
    "overloaded": ("too busy", "너무 바쁨"),
    "invalid_request": ("refused the request", "요청을 거절함"),
    "context_length_exceeded": ("the conversation is too long for it", "대화가 너무 깁니다"),
    "images_not_supported": ("can't see images", "이미지를 볼 수 없음"),
    "findings": ("not sent: what was found could not be replaced", "발견된 내용을 가릴 수 없어 보내지 않음"),
    "audit_unavailable": ("not sent: the audit log can't be written", "감사 기록을 쓸 수 없어 보내지 않음"),
    "upstream_key_missing": ("not asked: there is no key for it", "키가 없어 묻지 않음"),
    "upstream_unreachable": ("could not be reached", "연결할 수 없음"),
    "upstream_timeout": ("did not answer in time", "제때 답하지 않음"),
    "upstream_disconnected": ("the connection broke", "연결이 끊어짐"),
    "upstream_protocol_error": ("answered in an unknown form", "알 수 없는 형식으로 답함"),
    "upstream_status": ("refused", "거절함"),
    "tab_failed": ("could not answer", "답하지 못함"),
    "engine_error": ("its engine failed", "엔진에 문제가 생김"),
    "engine_start_failed": ("could not be loaded", "불러오지 못함"),
    "engine_closed": ("was being ended", "종료되는 중이었음"),
}
"""How asking one backend ended: by error code, and where there is none."""

SENTENCES: Mapping[str, Said] = {
    "this_browser": ("This browser", "이 브라우저"),
    "passed_through": (
        "A model in the page itself wrote it. The text passed through Homeward on its machine, and went no further.",
        "페이지 안의 모델이 썼습니다. 글은 Homeward가 실행되는 기기를 거쳤고 더 멀리 가지 않았습니다.",
    ),
    "tab_gone": (
        "The page that wrote this answer was closed or reloaded. Try again.",
        "이 답변을 쓰던 페이지가 닫혔거나 새로 고쳐졌습니다. 다시 시도하세요.",
    ),
    "tab_declined": (
        "You did not load the model into this browser. Try again, or let another place answer.",
        "이 브라우저에 모델을 불러오지 않았습니다. 다시 시도하거나 다른 곳에서 답하게 하세요.",
    ),
    "tab_no-room": (
        "This browser has no room for the model. Free some, or let another place answer.",
        "이 브라우저에 모델을 둘 공간이 없습니다. 공간을 비우거나 다른 곳에서 답하게 하세요.",
    ),
    "tab_failed": (
        "The model could not run in this browser. The page /browser/ says what this browser can do.",
        "이 브라우저에서 모델을 실행하지 못했습니다. /browser/ 페이지에 이 브라우저가 할 수 있는 것이 나와 있습니다.",
    ),
    "this_device": ("This device", "이 기기"),
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
    "gone": ("This answer is not there any more.", "이 답변은 더 이상 없습니다."),
    "answered_elsewhere": ("This question was answered already.", "이미 답한 질문입니다."),
    "continued_by": ("From here on: {who}", "여기부터: {who}"),
    "stays_home": (
        "Found in this chat: {kinds}. From now on it stays on this device.",
        "이 대화에서 발견된 것: {kinds}. 지금부터 이 대화는 이 기기에서만 처리합니다.",
    ),
    # The picker of modes
    "mode": ("Where to answer", "답할 곳"),
    "mode_auto": ("Auto", "자동"),
    "mode_auto_means": ("As your policy says.", "정책에 따라 정합니다."),
    "mode_device": ("This device", "이 기기"),
    "mode_device_means": ("Nothing leaves this computer.", "아무것도 이 컴퓨터를 떠나지 않습니다."),
    "mode_browser": ("This browser", "이 브라우저"),
    "mode_browser_means": (
        "A small model in this tab answers. The text passes through Homeward, and goes no further.",
        "이 탭의 작은 모델이 답합니다. 글은 Homeward를 거치지만 더 멀리 가지 않습니다.",
    ),
    "mode_cloud": ("Cloud", "클라우드"),
    "mode_cloud_means": (
        "The cloud first. What your policy keeps home still stays home.",
        "클라우드에 먼저 묻습니다. 정책이 기기에 두는 것은 그대로 남습니다.",
    ),
    "mode_network": ("My network", "내 네트워크"),
    "mode_network_means": (
        "Your network first. What your policy keeps home still stays home.",
        "내 네트워크에 먼저 묻습니다. 정책이 기기에 두는 것은 그대로 남습니다.",
    ),
    # What is asked before anything leaves
    "consent_title": ("May {name} answer this?", "{name}에 물어봐도 될까요?"),
    "consent_lead": (
        "Nothing was sent there yet, and nothing is sent until you decide.",
        "아직 아무것도 보내지 않았고, 결정하기 전에는 보내지 않습니다.",
    ),
    "consent_agree": ("Allow {name} from now on", "앞으로 {name} 허용"),
    "consent_foot": (
        "Later messages may then go there as your policy says. You can take this back on the policy page.",
        "이후의 메시지도 정책에 따라 그곳으로 갈 수 있습니다. 정책 페이지에서 취소할 수 있습니다.",
    ),
    "findings_title": ("Send what was found to {name}?", "발견된 내용을 {name}에 보낼까요?"),
    "findings_lead": ("Nothing is sent until you decide.", "결정하기 전에는 아무것도 보내지 않습니다."),
    "findings_agree": ("Send this time", "이번만 보내기"),
    "findings_foot": ("It counts for this message only.", "이 메시지에만 적용됩니다."),
    "answer_here": ("Answer on this device", "이 기기에서 답하기"),
    "row_to": ("Goes to", "보내는 곳"),
    "row_model": ("Model", "모델"),
    "row_what": ("Is sent", "보내는 것"),
    "row_found": ("Found in it", "발견된 것"),
    "row_limits": ("Is not seen", "찾지 못하는 것"),
    "row_cost": ("May cost", "예상 비용"),
    "row_also": ("If that fails", "실패하면"),
    "to": ("{name} at {host} ({place})", "{host}의 {name} ({place})"),
    "one_message": (
        "This message, about {characters:,} characters.",
        "이 메시지, 약 {characters:,}자.",
    ),
    "messages": (
        "This message and the {earlier:,} before it in this chat, about {characters:,} characters in all.",
        "이 메시지와 이 대화의 이전 메시지 {earlier:,}개, 모두 약 {characters:,}자.",
    ),
    "with_instructions": (
        "Homeward's instructions to the model go with it.",
        "모델에 주는 Homeward의 지시문도 함께 보냅니다.",
    ),
    "found_nothing": ("Nothing of a known form.", "알려진 형식의 것은 없습니다."),
    "found_as_it_is": ("{kind}: sent as it is.", "{kind}: 그대로 보냅니다."),
    "found_masked": ("{kind}: replaced by placeholders.", "{kind}: 가린 뒤 보냅니다."),
    "found_asked_next": ("{kind}: you are asked about it next.", "{kind}: 이어서 물어봅니다."),
    "cost_at_most": ("At most {amount}.", "최대 {amount}."),
    "cost_unknown": (
        "Not known: its prices are not in the configuration.",
        "알 수 없음: 가격이 설정에 없습니다.",
    ),
    "also": ("{names} would be asked with the same text.", "같은 글로 {names}에 묻습니다."),
    # Two answers beside each other
    "beside": (
        "Another answer. It is not part of the conversation.",
        "다른 답변입니다. 대화에는 포함되지 않습니다.",
    ),
    "use": ("Use this answer", "이 답변 사용"),
    "asks_first": ("You are asked before anything is sent.", "보내기 전에 먼저 물어봅니다."),
    # How an attempt at an answer went
    "attempt": ("{name} ({where}): {ending}, {seconds} s", "{name} ({where}): {ending}, {seconds}초"),
    "attempt_bytes": ("{bytes:,} bytes left this machine", "{bytes:,}바이트가 이 기기를 떠남"),
}

STARTERS: Mapping[str, tuple[tuple[str, str], ...]] = {
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
