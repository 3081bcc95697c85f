"""Keys as values."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.gate.keys import Key, digest_of, key_in, new_key

TEXTS = st.binary(max_size=60)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"authorization", b"x-api-key", b"api-key", b"host"]),
        TEXTS | TEXTS.map(lambda text: b"Bearer " + text),
    )
)


def test_keys_are_long_and_never_the_same() -> None:
    """256 random bits, in characters that need no quotation marks."""
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"hw-[A-Za-z0-9_-]{43}", key) for key in keys)


@given(HEADERS)
def test_whatever_comes_is_one_key_or_none(headers: list[tuple[bytes, bytes]]) -> None:
    """Never an error, never white space around it, and always something that was sent."""
    key = key_in(headers)
    assert key is None or (key == key.strip() and any(key in value for _, value in headers))


@given(st.binary(min_size=1, max_size=20), st.binary(min_size=1, max_size=20))
def test_two_different_keys_are_none(one: bytes, other: bytes) -> None:
    """Whichever headers they come in."""
    found = key_in([(b"x-api-key", one), (b"api-key", other)])
    texts = {each.strip() for each in (one, other)} - {b""}
    assert found == (texts.pop() if len(texts) == 1 else None)


@pytest.mark.parametrize("digest", ["", "0" * 63, "g" * 64, "0" * 65])
def test_what_is_no_digest_is_not_read(digest: str) -> None:
    """So nothing can be in force that no key has."""
    text = msgspec.json.encode(
        {"name": "x", "digest": digest, "scopes": ["models"], "created_at": "2026-11-22T00:00:00Z"}
    )
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Key)


def test_a_digest_does_not_hold_the_key() -> None:
    """SHA-256, as anybody can check."""
    assert digest_of("hw-abc") == "856f971d29373cf7f81561a52a24ade666edded35d5787256de58b1234a67076"
