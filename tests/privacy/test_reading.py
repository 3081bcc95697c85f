"""Disguised text is found, and the place that is reported is the disguise's."""
# ruff: noqa: RUF001

import base64
import json
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeward.privacy import Kind, Part, Scanner, characters
from homeward.privacy.budget import Budget
from homeward.privacy.reading import DECODE_LEVELS, OPAQUE_BYTES, UNESCAPE_ROUNDS, folded, read
from tests.privacy.conftest import Looking
from tests.privacy.samples import random_letters

EMAIL = "kim@example.com"
PHONE = "010-1234-5678"

DISGUISES = {
    "full width": "ｋｉｍ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    "zero width": "k\u200bi\u200cm\u2060@exa\ufeffmple.c\u200dom",
    "soft hyphen": "kim@exam\u00adple.com",
    "bidi": "\u202ekim\u202c@example.com",
    "NUL": "kim\x00@example\x00.com",
    "Cyrillic": "kіm@еxаmрlе.соm",
    "Greek": "kιm@exαmple.cοm",
    "mathematical": "𝐤𝐢𝐦@𝕖𝕩𝕒𝕞𝕡𝕝𝕖.com",
    "circled": "ⓚⓘⓜ@example.com",
    "accents": "k\u0336i\u0336m\u0336@example.com",
    "filler": "kim\u3164@example.com",
    "percent": "kim%40example.com",
    "percent, all": "".join(f"%{byte:02x}" for byte in EMAIL.encode()),
    "percent twice": "kim%2540example.com",
    "percent thrice": "kim%252540example.com",
    "percent of full width": "kim%EF%BC%A0example.com",
    "entity": "kim&#64;example.com",
    "entity, hexadecimal": "kim&#x40;example&#x2e;com",
    "entity, named": "kim&commat;example&period;com",
    "JSON": "kim\\u0040example.com",
    "JavaScript": "kim\\x40example\\u{2e}com",
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES.keys())
def test_a_disguised_address_is_found_where_it_is(looking: Looking, disguise: str) -> None:
    """The stretch is the disguise from its first to its last character."""
    text = f"안녕 ({disguise}) 끝"
    [finding] = looking.findings(text)
    assert finding.kind == Kind.EMAIL
    assert text[finding.start : finding.end] == disguise


ENCODINGS = {
    "base64": base64.b64encode(f"to {EMAIL} now".encode()).decode(),
    "without padding": base64.b64encode(f"to {EMAIL} no".encode()).decode().rstrip("="),
    "for addresses": base64.urlsafe_b64encode(f"??>>{EMAIL}".encode()).decode(),
    "behind other letters": "x/" + base64.b64encode(f"to {EMAIL} now, or later".encode()).decode(),
    "UTF-16": base64.b64encode(f"to {EMAIL} now".encode("utf-16-le")).decode(),
    "Korean": base64.b64encode(f"메일은 {EMAIL} 입니다".encode()).decode(),
    "twice": base64.b64encode(base64.b64encode(f"to {EMAIL} now".encode())).decode(),
    "thrice": base64.b64encode(base64.b64encode(base64.b64encode(f"to {EMAIL} now".encode()))).decode(),
    "hexadecimal": f"to {EMAIL} now".encode().hex(),
    "percent inside": base64.b64encode(b"user=kim%40example.com&x=1").decode(),
}


@pytest.mark.parametrize("encoded", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_an_encoded_address_is_found_as_a_whole(looking: Looking, encoded: str) -> None:
    """What is encoded can only be taken out in one piece."""
    text = f"data: {encoded} end"
    assert looking.found(text) == [(Kind.EMAIL, encoded)]


def test_an_address_in_lines_of_base64_is_found(looking: Looking) -> None:
    """As mail has it; the break may cut the address."""
    encoded = base64.encodebytes(f"{'word ' * 10}{EMAIL} and more words to fill another line of it".encode()).decode()
    assert {kind for kind, _ in looking.found(f"begin\n{encoded}\nend")} == {Kind.EMAIL}


def test_korean_in_json_is_found() -> None:
    """`json.dumps` writes Korean as escapes, and a line break as two characters."""
    text = json.dumps({"memo": f"first line\n{PHONE}", "name": "김철수는"})
    report = Scanner(deny=["김철수"]).find([Part("tool", text)])
    kinds = {text[f.start : f.end]: f.kind for f in report.parts[0].findings}
    assert kinds == {"\\uae40\\ucca0\\uc218": Kind.DENY_LIST, PHONE: Kind.PHONE}


def test_decomposed_hangul_is_composed() -> None:
    """As file names come from macOS."""
    text = unicodedata.normalize("NFD", "보고서_김철수.pdf")
    [finding] = Scanner(deny=["김철수"]).find([Part("file", text)]).parts[0].findings
    assert unicodedata.normalize("NFC", text[finding.start : finding.end]) == "김철수"


def test_lines_of_base64_may_be_as_short_as_60_letters(looking: Looking) -> None:
    """Each hides a part of the address; together they hold it."""
    encoded = base64.b64encode(f"{'_' * 38}{EMAIL}{'_' * 37}".encode()).decode()
    assert looking.found(f"{encoded[:60]}\n{encoded[60:]}") == [(Kind.EMAIL, f"{encoded[:60]}\n{encoded[60:]}")]
    assert looking.found(f"{encoded[:59]}\n{encoded[59:]}") == []


def test_every_invisible_tag_is_read() -> None:
    """The first and the last, too."""
    text = "".join(map(chr, range(0x20, 0x7F)))
    hidden = "".join(chr(0xE0000 + ord(character)) for character in text)
    assert text.encode() in [view.data for view in read(hidden.encode(), Budget(10**9)).views]


def test_what_is_settled_at_first_sight_folds_to_itself() -> None:
    """Printable ASCII and whole Hangul syllables."""
    for number in (*b"\t\n\r", *range(0x20, 0x7F), *range(0xAC00, 0xD7A4)):
        assert list(characters.folded(chr(number))) == [(chr(number), chr(number))]
    assert characters.is_settled("가힣 ~\t")
    assert not any(map(characters.is_settled, "\x00\x1f\x7f\x0b\x0c\u1100\ufe0f"))


def test_invisible_tags_are_read(looking: Looking) -> None:
    """Letters that no font shows and a model reads."""
    hidden = "".join(chr(0xE0000 + ord(character)) for character in f"to {EMAIL}")
    assert looking.found(f"Hello{hidden}!") == [(Kind.EMAIL, hidden)]


def test_digits_of_other_scripts_count(looking: Looking) -> None:
    """Arabic and Devanagari digits, and keycaps."""
    assert looking.found("٠١٠-١٢٣٤-٥٦٧٨") == [(Kind.PHONE, "٠١٠-١٢٣٤-٥٦٧٨")]
    assert [kind for kind, _ in looking.found("0️⃣1️⃣0️⃣-१२३४-५६७८")] == [Kind.PHONE]
    assert looking.found("010–1234—5678") == [(Kind.PHONE, "010–1234—5678")]


def test_vowel_signs_stay() -> None:
    """They are part of a word in Hindi and Thai."""
    assert folded("हिन्दी สวัสดี") == unicodedata.normalize("NFKC", "हिन्दी สวัสดี")


def test_half_a_surrogate_pair_changes_no_place(looking: Looking) -> None:
    """JSON can bring one in; Python keeps it as one character."""
    assert looking.found(f"\ud83d {EMAIL} \ude00") == [(Kind.EMAIL, EMAIL)]
    assert looking.found("\\ud83d &#xd83d; %ff \\u{ffffff}") == []


def test_what_is_encoded_too_often_is_reported(looking: Looking) -> None:
    """We don't know what it is, so it is a finding of its own."""
    deep = "kim@example.com and some words"
    for _ in range(DECODE_LEVELS + 1):
        deep = base64.b64encode(deep.encode()).decode()
    assert looking.found(f"x {deep} y") == [(Kind.UNREADABLE, deep)]
    escaped = "%" + "25" * (UNESCAPE_ROUNDS + 1) + "40"
    assert looking.found(f"kim{escaped}example.com") == [(Kind.UNREADABLE, f"kim{escaped}example.com")]


def test_a_long_word_in_what_was_decoded_thrice_is_just_a_word(looking: Looking) -> None:
    """Only text is too deep."""
    deep = "the internationalizations of kim@example.com"
    for _ in range(DECODE_LEVELS):
        deep = base64.b64encode(deep.encode()).decode()
    assert looking.found(deep) == [(Kind.EMAIL, deep)]


def test_long_encoded_data_that_is_no_text_is_reported(looking: Looking) -> None:
    """An image, an archive, a cipher: nobody knows what it shows."""
    data = bytes(number * number * 7 % 251 for number in range(900))
    for encoded in (base64.b64encode(data).decode(), data.hex()):
        assert looking.found(f"data:image/png;base64,{encoded})") == [(Kind.UNREADABLE, encoded)]
        assert looking.found(f"data:image/png;base64,{encoded[: OPAQUE_BYTES - 1]})") == []


def test_a_ruler_and_zeros_are_no_data(looking: Looking) -> None:
    """However long."""
    assert looking.found("-" * 900 + "\n" + "0" * 900 + "\n" + "A" * 900 + "\n" + "3141592653" * 90) == []


def test_a_keys_own_encoding_is_no_second_finding(looking: Looking) -> None:
    """The signature of a token is unreadable, and is part of the token."""
    token = "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + random_letters(240) * 3
    assert looking.found(f"x {token} y") == [(Kind.API_KEY, token)]


def test_harmless_encoded_text_is_no_finding(looking: Looking) -> None:
    """Only what it says counts."""
    encoded = base64.b64encode("아무 비밀도 없는 평범한 문장입니다. Nothing to see here. ".encode() * 30).decode()
    assert looking.found(encoded) == []


def _plain(character: str) -> str:
    return character


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def _unicode_escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _full_width(character: str) -> str:
    return chr(ord(character) + 0xFEE0)


def _zero_width(character: str) -> str:
    return character + "\u200b"


WAYS = (_plain, _percent, _entity, _unicode_escape, _full_width, _zero_width)
AROUND = st.text(st.sampled_from("가나 é.,;(\n—…\u200b½аЖ€🙂"), max_size=30)


@settings(deadline=None)
@given(before=AROUND, behind=AROUND, data=st.data())
def test_places_are_those_of_the_text(before: str, behind: str, data: st.DataObject) -> None:
    """However each character is disguised, exactly the disguise is reported."""
    ways = data.draw(st.lists(st.sampled_from(WAYS), min_size=len(PHONE), max_size=len(PHONE)))
    disguise = "".join(way(character) for way, character in zip(ways, PHONE, strict=True)).removesuffix("\u200b")
    text = f"{before} {disguise} {behind}"
    report = Scanner().find([Part("text", text)])
    assert [(text[f.start : f.end], f.kind) for f in report.parts[0].findings] == [(disguise, Kind.PHONE)]


@settings(deadline=None)
@given(st.text(max_size=300))
def test_every_stretch_of_every_view_comes_from_the_text(text: str) -> None:
    """In order, and inside it."""
    data = text.encode(errors="replace")
    for view in read(data, Budget(10**9)).views:
        places = [view.locate(at, at + 1) for at in range(len(view.data))]
        assert all(0 <= start < end <= len(data) for start, end in places)
        assert places == sorted(places)
        if places:
            assert view.locate(0, len(places)) == (places[0][0], places[-1][1])


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", max_codepoint=0x24FF), max_size=200))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    """What is compared has one form."""
    once = folded(text)
    assert folded(once) == once


@settings(deadline=None)
@given(st.text(max_size=100))
def test_percent_encoding_is_undone(text: str) -> None:
    """One of the views is what was encoded, folded."""
    text = text.encode(errors="replace").decode()
    views = [view.data.decode(errors="replace") for view in read(quote(text, safe="").encode(), Budget(10**9)).views]
    assert any(folded(text) in view for view in views) or "%" in text or "&" in text or "\\" in text
