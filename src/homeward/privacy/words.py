"""Everything that is said to the user about findings, in English and Korean."""

from collections.abc import Mapping

from homeward.privacy.choice import Choice
from homeward.privacy.findings import Kind

Said = tuple[str, str]
"""English, Korean."""
# ruff: noqa: ISC004  # pairs of long sentences

KINDS: Mapping[str, Said] = {
    Kind.EMAIL: ("e-mail address", "이메일 주소"),
    Kind.PHONE: ("phone number", "전화번호"),
    Kind.CARD: ("payment card number", "카드 번호"),
    Kind.IBAN: ("bank account number (IBAN)", "국제 계좌 번호(IBAN)"),
    Kind.NATIONAL_ID: ("national identity number", "주민등록번호 등 개인 식별 번호"),
    Kind.IP: ("IP address", "IP 주소"),
    Kind.API_KEY: ("API key or token", "API 키 또는 토큰"),
    Kind.PRIVATE_KEY: ("private key", "개인 키(비밀 키)"),
    Kind.PASSWORD: ("password", "비밀번호"),
    Kind.DENY_LIST: ("word of your list", "사용자가 등록한 단어"),
    Kind.UNREADABLE: ("encoded data that can't be read", "읽을 수 없는 인코딩된 데이터"),
    Kind.IMAGE: ("image, whatever it shows", "이미지(내용은 확인하지 않음)"),
}

CHOICES: Mapping[Choice, Said] = {
    Choice.HOME: ("Keep it on this device", "이 기기에서만 처리"),
    Choice.ASK: ("Ask me each time", "매번 물어보기"),
    Choice.MASK: ("Send it with placeholders", "가린 뒤 보내기"),
    Choice.ALLOW: ("Send it as it is", "그대로 보내기"),
}

INCOMPLETE: Said = (
    "This request could not be checked completely, so it stays on this device.",
    "이 요청은 끝까지 검사하지 못해 이 기기에서만 처리합니다.",
)

SEEN: Said = (
    "Found is what has a known form: e-mail addresses, phone numbers, card and account numbers, national identity "
    "numbers, IP addresses, keys of well-known services, private keys, passwords beside their name or in an address, "
    "and the words and patterns that you add.",
    "형식이 정해진 것을 찾습니다: 이메일, 전화번호, 카드와 계좌 번호, 주민등록번호 같은 개인 식별 번호, IP 주소, "
    "널리 쓰이는 서비스의 키, 개인 키, 이름과 함께 또는 주소 안에 적힌 비밀번호, 그리고 직접 추가한 단어와 패턴.",
)

NOT_SEEN: tuple[Said, ...] = (
    (
        "Names of people and companies, postal addresses, dates of birth, health and opinions are not found, "
        "unless you add the words.",
        "사람과 회사의 이름, 집 주소, 생년월일, 건강이나 의견은 찾지 못합니다. 필요한 단어는 직접 추가하세요.",
    ),
    (
        "What stands in images, audio, PDF or other files is not looked at; neither is encrypted or compressed data.",
        "이미지, 음성, PDF 같은 파일의 내용과 암호화되거나 압축된 데이터는 들여다보지 못합니다.",
    ),
    (
        "A password without its name beside it, or one that is an ordinary word, can't be told from other text.",
        "옆에 이름이 없거나 평범한 단어로 된 비밀번호는 다른 글과 구별할 수 없습니다.",
    ),
    (
        "A number that is spelled out in words, cut into several messages, or hidden in a cipher is not found.",
        "말로 풀어 쓰거나 여러 메시지에 나누어 적거나 암호로 숨긴 번호는 찾지 못합니다.",
    ),
)


def kind_name(kind: str, language: str) -> str:
    """What a kind is called; the user's own pattern by the name that it was given."""
    english, korean = KINDS.get(kind) or (kind.partition(":")[2],) * 2
    return korean if language == "ko" else english
