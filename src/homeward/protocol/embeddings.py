"""Embeddings in OpenAI's terms: what a client asks for, the vectors, and both as bytes.

Texts only. OpenAI also takes numbers of tokens; those are of its own models' vocabularies and mean other words, or
none, to a local model.
"""

import base64
import math
import sys
from array import array
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from homeward.protocol.errors import InvalidRequestError
from homeward.protocol.upstream_errors import not_the_protocol
from homeward.protocol.wire import MOST_TOKENS, encode_json

MODEL = "homeward:embedding"
"""The name under which clients ask for the embedding model of this machine, whichever it is."""
MOST_INPUTS = 2048
"""OpenAI's limit for one request."""

Vector: TypeAlias = "array[float]"
"""32-bit numbers (type code `f`), as engines compute them."""
Encoding = Literal["float", "base64"]


class EmbeddingsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /v1/embeddings`. Fields that it does not have, such as `user`, change nothing."""

    model: str = MODEL
    input: str | tuple[str | int | tuple[int, ...], ...]
    encoding_format: Encoding | None = None
    """None means `float`."""
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Length of the vectors; None for the model's own."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts to embed.

        Raises:
            InvalidRequestError: there are none or too many, one is empty, or they are no texts.
        """
        inputs = (self.input,) if isinstance(self.input, str) else self.input
        if not inputs:
            raise _bad_input("input", "it is empty", "Send at least one text.")
        texts = tuple(text for text in inputs if isinstance(text, str))
        if len(texts) < len(inputs):
            raise _bad_input(
                "input",
                "it holds token numbers, which belong to another model's vocabulary",
                "Send texts. In LangChain, give OpenAIEmbeddings the argument check_embedding_ctx_length=False.",
            )
        if len(texts) > MOST_INPUTS:
            raise _bad_input(
                "input",
                f"it holds {len(texts)} texts, and {MOST_INPUTS} are the most",
                "Send them in several requests.",
            )
        for index, text in enumerate(texts):
            if not text:
                raise _bad_input(self.place(index), "it cannot be an empty string", "Leave empty texts out.")
        return texts

    def place(self, index: int) -> str:
        """How the client finds the text of this number in its request."""
        return "input" if isinstance(self.input, str) else f"input[{index}]"


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """A vector for each text, in their order."""

    vectors: tuple[Vector, ...]
    prompt_tokens: int
    """Of all texts together."""
    model: str
    """Which model they are of: vectors of different models can't be compared."""


def too_long(place: str, most_tokens: int) -> InvalidRequestError:
    """For a text that does not fit the model's window; `place` is where it stands in the request."""
    return _bad_input(
        place,
        f"maximum input length is {most_tokens} tokens",
        "Split the text, or choose a model with a larger window.",
    )


def shortened(vector: Vector, dimensions: int) -> Vector:
    """The first numbers of a vector, scaled to length 1, as OpenAI's `dimensions` does it.

    Raises:
        InvalidRequestError: it has fewer.
    """
    if dimensions > len(vector):
        raise InvalidRequestError(
            f"Invalid 'dimensions': the vectors of this model have {len(vector)} dimensions.",
            next_step=f"Ask for 1 to {len(vector)}, or leave `dimensions` out.",
            param="dimensions",
        )
    return vector if dimensions == len(vector) else unit(vector[:dimensions])


def unit(numbers: Sequence[float]) -> Vector:
    """The vector of length 1 in the same direction; zero stays zero."""
    length = math.hypot(*numbers)
    return array("f", (number / length for number in numbers) if length else numbers)


def encode_embeddings(embeddings: Embeddings, encoding: Encoding) -> bytes:
    """The answer's body; under the name by which the model can be asked for again."""
    encoded = _to_base64 if encoding == "base64" else array.tolist
    return msgspec.json.encode(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": encoded(vector)}
                for index, vector in enumerate(embeddings.vectors)
            ],
            "model": MODEL,
            "usage": {"prompt_tokens": embeddings.prompt_tokens, "total_tokens": embeddings.prompt_tokens},
        }
    )


def encode_question(texts: Sequence[str], model: str) -> bytes:
    """The body of a request to an engine. Raises `InvalidRequestError` for text that is not Unicode."""
    return encode_json({"model": model, "input": texts, "encoding_format": "base64"})


def decode_answer(body: bytes, count: int, model: str, source: str) -> Embeddings:
    """What an engine that runs `model` answered to so many texts; nothing in it is trusted.

    Raises `BackendProtocolError`; `source` is the subject of its sentence.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        vectors = {item.index: _from_base64(item.embedding) for item in answer.data}
    except (ValueError, RecursionError):
        # Dropped as cause: a decoder's error holds the bytes that it failed on.
        raise not_the_protocol(source, "no embeddings") from None
    ordered = tuple(vectors[index] for index in range(count) if index in vectors)
    if not len(ordered) == len(answer.data) == count:
        raise not_the_protocol(source, "not one vector for each text")
    if len({len(vector) for vector in ordered}) > 1 or not all(map(_is_fine, ordered)):
        raise not_the_protocol(source, "vectors that cannot be compared")
    return Embeddings(vectors=ordered, prompt_tokens=answer.usage.prompt_tokens, model=model)


class _Item(msgspec.Struct):
    index: int
    embedding: str


class _Usage(msgspec.Struct):
    prompt_tokens: Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]


class _Answer(msgspec.Struct):
    data: list[_Item]
    usage: _Usage


def _is_fine(vector: Vector) -> bool:
    return len(vector) > 0 and all(map(math.isfinite, vector))


def _to_base64(vector: Vector) -> str:
    return base64.b64encode(_little_endian(vector).tobytes()).decode()


def _from_base64(text: str) -> Vector:
    """Raises ValueError."""
    return _little_endian(array("f", base64.b64decode(text, validate=True)))


def _little_endian(vector: Vector) -> Vector:
    """The same numbers with their bytes in the order that goes over the wire, or back."""
    if sys.byteorder == "little":
        return vector
    swapped = vector[:]
    swapped.byteswap()
    return swapped


def _bad_input(place: str, why: str, next_step: str) -> InvalidRequestError:
    return InvalidRequestError(f"Invalid '{place}': {why}.", next_step=next_step, param=place)
