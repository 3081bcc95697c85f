"""What clients send for embeddings, what engines answer, and the bytes of both."""

import base64
import json
import math
import struct
from array import array
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.protocol.embeddings import (
    MOST_INPUTS,
    Embeddings,
    EmbeddingsRequest,
    Encoding,
    Vector,
    decode_answer,
    encode_embeddings,
    encode_question,
    shortened,
    unit,
)
from homeward.protocol.errors import BackendProtocolError, InvalidRequestError

numbers = st.floats(-1e6, 1e6, width=32)
vectors = st.lists(numbers, min_size=1, max_size=40).map(lambda each: array("f", each))


def asked(**fields: object) -> EmbeddingsRequest:
    return msgspec.json.decode(json.dumps(fields), type=EmbeddingsRequest)


def answered(vectors: list[list[float]], **changes: object) -> dict[str, Any]:
    """As llama.cpp answers."""
    data = [
        {"object": "embedding", "index": index, "encoding_format": "base64", "embedding": packed(vector)}
        for index, vector in enumerate(vectors)
    ]
    return {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 7, "total_tokens": 7}, **changes}


def packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


@pytest.mark.parametrize(("given_input", "texts"), [("one", ("one",)), (["one"], ("one",)), (["a", " "], ("a", " "))])
def test_a_text_or_several(given_input: object, texts: tuple[str, ...]) -> None:
    assert asked(input=given_input).texts == texts


@pytest.mark.parametrize(
    ("given_input", "param", "words"),
    [
        ("", "input", "empty string"),
        (["a", ""], "input[1]", "Invalid 'input[1]': it cannot be an empty string"),
        ([], "input", "at least one text"),
        ([1, 2, 3], "input", "check_embedding_ctx_length=False"),
        ([[1, 2], [3]], "input", "check_embedding_ctx_length=False"),
        (["a", 1], "input", "token numbers"),
        (["a"] * (MOST_INPUTS + 1), "input", "2049 texts, and 2048 are the most"),
    ],
)
def test_what_is_no_text_is_refused(given_input: object, param: str, words: str) -> None:
    """By the name of the field, with what to do instead."""
    with pytest.raises(InvalidRequestError) as caught:
        _ = asked(input=given_input).texts
    assert caught.value.param == param
    assert words in str(caught.value)


def test_as_many_as_openai_takes() -> None:
    assert len(asked(input=["a"] * MOST_INPUTS).texts) == MOST_INPUTS


@pytest.mark.parametrize(
    "fields",
    [{}, {"input": 1}, {"input": [None]}, {"input": "a", "dimensions": 0}, {"input": "a", "encoding_format": "x"}],
)
def test_wrong_fields_are_not_decoded(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        asked(**fields)


def test_fields_of_others_and_nulls_change_nothing() -> None:
    """OpenAI's clients send nulls for what was not set; `user` and what is newer than we are is ignored."""
    request = asked(input="a", encoding_format=None, dimensions=None, user="u", later=[{}])
    assert request == EmbeddingsRequest(input="a")


@given(vectors, st.sampled_from(["float", "base64"]))
def test_vectors_survive_the_wire_to_the_last_bit(vector: Vector, encoding: Encoding) -> None:
    """In both encodings, read as OpenAI's clients do it."""
    body = json.loads(encode_embeddings(Embeddings(vectors=(vector,), prompt_tokens=3, model="m"), encoding))
    (item,) = body["data"]
    sent = item["embedding"]
    read = struct.unpack(f"<{len(vector)}f", base64.b64decode(sent)) if encoding == "base64" else sent
    assert list(read) == vector.tolist()


def test_the_answer_is_openais() -> None:
    """Field by field."""
    embeddings = Embeddings(vectors=(array("f", [0.5]), array("f", [1.0])), prompt_tokens=5, model="m")
    assert json.loads(encode_embeddings(embeddings, "float")) == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5]},
            {"object": "embedding", "index": 1, "embedding": [1.0]},
        ],
        "model": "homeward:embedding",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }


@given(vectors)
def test_a_unit_has_length_one_and_its_direction(vector: Vector) -> None:
    """But for zero, which has no direction."""
    found = unit(vector)
    length = math.hypot(*vector)
    assert math.hypot(*found) == pytest.approx(1.0 if length else 0.0, abs=1e-5)
    assert all(a == pytest.approx(b / (length or 1.0), abs=1e-6) for a, b in zip(found, vector, strict=True))


def test_fewer_dimensions_are_the_first_ones() -> None:
    """Scaled to length 1 again; as many as there are change nothing, more are refused by name."""
    vector = array("f", [0.6, 0.0, 0.8])
    assert shortened(vector, 2).tolist() == [1.0, 0.0]
    assert shortened(vector, 3) is vector
    with pytest.raises(InvalidRequestError, match="3 dimensions") as caught:
        shortened(vector, 4)
    assert caught.value.param == "dimensions"


@given(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=5), st.randoms())
def test_an_engines_vectors_are_put_in_order(rows: list[list[float]], random: Any) -> None:
    """By their index, whatever order they come in."""
    body = answered(rows)
    random.shuffle(body["data"])
    found = decode_answer(json.dumps(body).encode(), len(rows), "m", "It")
    assert [vector.tolist() for vector in found.vectors] == rows
    assert (found.prompt_tokens, found.model) == (7, "m")


def repeated(rows: list[list[float]]) -> dict[str, Any]:
    body = answered(rows)
    body["data"][1]["index"] = 0
    return body


@pytest.mark.parametrize(
    "body",
    [
        answered([[1.0, 2.0]]),
        answered([[1.0], [1.0], [1.0]]),
        answered([[1.0], [1.0, 2.0]]),
        answered([[], []]),
        answered([[1.0], [math.nan]]),
        answered([[1.0], [-math.inf]]),
        repeated([[1.0], [2.0]]),
        answered([[1.0], [2.0]], usage={}),
        answered([[1.0], [2.0]], usage={"prompt_tokens": -1}),
        answered([], data=[{"index": 0, "embedding": "AAA"}, {"index": 1, "embedding": "AAA="}]),
        answered([], data=[{"index": 0, "embedding": "AAAAAAA="}, {"index": 1, "embedding": "AAAAAAA="}]),
        answered([], data=[{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]),
        {"error": {"message": "canary"}},
        [],
    ],
)
def test_what_an_engine_must_not_answer(body: object) -> None:
    """It is an error of the engine's, and nothing of the answer is repeated."""
    with pytest.raises(BackendProtocolError) as caught:
        decode_answer(json.dumps(body).encode(), 2, "m", "It")
    assert caught.value.__cause__ is None
    assert "canary" not in str(caught.value) + caught.value.detail


@given(st.binary(max_size=60))
def test_garbage_is_an_error_of_the_engines(body: bytes) -> None:
    with pytest.raises(BackendProtocolError):
        decode_answer(body, 1, "m", "It")


def test_half_a_character_can_not_be_asked() -> None:
    with pytest.raises(InvalidRequestError):
        encode_question(["\ud800"], "m")
