"""`POST /v1/embeddings`: vectors of texts, from a model on this device; there is no way to another place."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

import msgspec
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from homeward.gateway.bodies import decode, json_body
from homeward.gateway.serving import JSON_TYPE, Headers, send_refusal, send_whole, while_client_stays
from homeward.protocol.embeddings import MODEL, Embeddings, EmbeddingsRequest, encode_embeddings
from homeward.protocol.errors import HomewardError, InvalidRequestError
from homeward.protocol.place import Place

HEADERS: Headers = [(b"x-homeward-place", Place.DEVICE.value.encode())]

_decoder = msgspec.json.Decoder(EmbeddingsRequest)


class Embedder(Protocol):
    """Who makes the vectors."""

    async def embed(self, request: EmbeddingsRequest) -> Embeddings:
        """A vector for each text of the request. Raises HomewardError; cancelled when the client leaves."""
        ...


class NoEmbeddingModelError(InvalidRequestError):
    """A client asked for an embedding model that there is not."""

    code = "model_not_found"
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no embedding model called `{name[:100]}` here.",
            param="model",
            next_step=f"Ask for `{MODEL}`, or make your name an alias of it under [gateway.aliases] in homeward.toml.",
        )


def embeddings_routes(embedder: Embedder, is_ours: Callable[[str], bool] = MODEL.__eq__) -> list[BaseRoute]:
    """The route. `is_ours` tells whether a client's name for a model means the embedding model of this machine."""
    return [Route("/v1/embeddings", EmbeddingsApp(embedder, is_ours), methods=["POST"])]


class EmbeddingsApp:
    """The route as an ASGI app."""

    def __init__(self, embedder: Embedder, is_ours: Callable[[str], bool]) -> None:
        self._embedder = embedder
        self._is_ours = is_ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, for as long as the client is there."""
        try:
            request = decode(await json_body(scope, receive), _decoder)
            if not self._is_ours(request.model):
                raise NoEmbeddingModelError(request.model)
            async with while_client_stays(receive):
                await self._answer(request, send)
        except HomewardError as error:
            await send_refusal(send, error, HEADERS)

    async def _answer(self, request: EmbeddingsRequest, send: Send) -> None:
        embeddings = await self._embedder.embed(request)
        body = encode_embeddings(embeddings, request.encoding_format or "float")
        headers = [
            (b"content-type", JSON_TYPE.encode()),
            (b"x-homeward-model", quote(embeddings.model).encode()),
            *HEADERS,
        ]
        await send_whole(send, 200, headers, body)
