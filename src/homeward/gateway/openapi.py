"""`GET /openapi.json`: what is served under `/v1`, from the very types that requests are read by."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import starmap
from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import homeward
from homeward.gateway.openapi_answers import ResponseEvent
from homeward.gateway.openapi_operations import OPERATIONS, READ_AS, REFUSED, Operation
from homeward.gateway.serving import JSON_TYPE
from homeward.protocol.envelope import Envelope

PATH = "/openapi.json"
REFS = "#/components/schemas/{name}"
Json: TypeAlias = dict[str, Any]
STRING: Json = {"type": "string"}

MEANINGS = {
    400: "The request can't be served as it is: `param` names the field, where it is one alone.",
    401: "A key is needed, and there was none, a wrong one, or two.",
    403: "The key lacks a scope, the user's policy leaves nobody to answer, or a web page asked that may not.",
    404: "There is no such model, response or receipt.",
    413: "The request is too large.",
    415: "The body is not declared as JSON.",
    421: "Homeward is not served under this host name.",
    429: "The limit of the key is reached, or all places are taken, here or at the cloud. "
    "Try again after `retry-after`.",
    500: "A fault of Homeward's.",
    502: "The backend failed.",
    503: "Nothing can answer now, or what must not leave this device would have. Try again after `retry-after`.",
    504: "The backend took too long.",
}

HEADERS = {
    "x-request-id": "The id of the receipt: GET /v1/receipts/{id}.",
    "x-homeward-place": "Where the answer was made: device, network or cloud.",
    "x-homeward-model": "Who answered, percent-encoded.",
    "x-homeward-reason": "The rule that chose it, percent-encoded.",
    "x-homeward-attempts": "How many backends were asked.",
}
"""Of an answer, as far as they are known when it begins."""


def openapi_route() -> BaseRoute:
    """The route."""

    async def document_of_v1(_request: Request) -> Response:
        return Response(encoded_document(), media_type=JSON_TYPE)

    return Route(PATH, document_of_v1, methods=["GET"])


@cache
def encoded_document() -> bytes:
    """As it is sent; nothing in it depends on the settings."""
    return msgspec.json.encode(document(OPERATIONS))


def document(operations: Sequence[Operation]) -> Json:
    """OpenAPI 3.1."""
    schema_of, components = schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = described(operation, schema_of)
    keys = {
        "bearer": {"type": "http", "scheme": "bearer"},
        **{name: {"type": "apiKey", "in": "header", "name": name} for name in ("x-api-key", "api-key")},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homeward",
            "version": homeward.__version__,
            "description": "OpenAI's protocol. A key is needed as soon as there is one: homeward keys add NAME.",
        },
        "security": [{}, *({name: []} for name in keys)],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": keys},
    }


def schemas(operations: Sequence[Operation]) -> tuple[dict[type, Json], Json]:
    """The schema of each type that is sent or taken, and the components that these refer to."""
    types = dict.fromkeys(
        each for operation in operations for each in (operation.body, operation.answer, operation.event) if each
    )
    ordered = [Envelope, *types]
    found, components = msgspec.json.schema_components([*ordered, *READ_AS.values()], ref_template=REFS)
    for (owner, field), schema in zip(READ_AS, found[len(ordered) :], strict=True):
        properties = components[owner]["properties"]
        properties[field] = schema | {key: properties[field][key] for key in ("default",) if key in properties[field]}
    for owner, fields in REFUSED.items():
        for field in fields:
            del components[owner]["properties"][field]
    roots = found[: len(ordered)]
    return dict(zip(ordered, roots, strict=True)), {name: components[name] for name in referred_to(roots, components)}


def referred_to(schema: Any, components: Json) -> list[str]:
    """The components that a schema needs, in their order."""
    needed: set[str] = set()
    waiting = [schema]
    while waiting:
        names = set(re.findall(rb"#/components/schemas/(\w+)", msgspec.json.encode(waiting.pop())))
        for name in {name.decode() for name in names} - needed:
            needed.add(name)
            waiting.append(components[name])
    return sorted(needed)


def described(operation: Operation, schema_of: Mapping[type, Json]) -> Json:
    """One operation."""
    result: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*in_path(operation.path), *in_query(operation.query)],
        "responses": {
            **({} if operation.answer is None else {"200": answered(operation, schema_of)}),
            **{
                str(status): {"description": MEANINGS[status], "content": content(schema_of[Envelope])}
                for status in sorted(operation.refusals)
            },
        },
    }
    if operation.body is not None:
        result["requestBody"] = {"required": True, "content": content(schema_of[operation.body])}
    return result


def answered(operation: Operation, schema_of: Mapping[type, Json]) -> Json:
    """What it gives."""
    assert operation.answer is not None
    result: Json = {"description": "OK", "content": content(schema_of[operation.answer])}
    if operation.event is not None:
        result["content"]["text/event-stream"] = {"schema": event(operation.event, schema_of[operation.event])}
    if operation.event is not None and operation.body is not None:
        result["headers"] = {name: {"description": text, "schema": STRING} for name, text in HEADERS.items()}
    if operation.leads_to:
        result["links"] = dict(starmap(link, operation.leads_to.items()))
    return result


def event(kind: type, schema: Json) -> Json:
    """Each event of a stream, as OpenAPI 3.2 describes them; a comment is none."""
    data = STRING | {"contentMediaType": JSON_TYPE, "contentSchema": schema}
    events: Json = {"type": "object", "required": ["data"], "properties": {"event": STRING, "data": data}}
    if kind is ResponseEvent:
        return events
    return {"anyOf": [events, {"type": "object", "required": ["data"], "properties": {"data": {"const": "[DONE]"}}}]}


def link(target: str, where: str) -> tuple[str, Json]:
    """How another operation goes on from this one."""
    parameter, _, pointer = where.partition("=")
    return target, {"operationId": target, "parameters": {parameter: f"$response.body#/{pointer}"}}


def content(schema: Json) -> Json:
    """JSON of this shape."""
    return {JSON_TYPE: {"schema": schema}}


def in_path(path: str) -> list[Json]:
    """The parameters that a path has."""
    return [{"name": name, "in": "path", "required": True, "schema": STRING} for name in re.findall(r"{(\w+)}", path)]


def in_query(query: Mapping[str, Any]) -> list[Json]:
    """Those behind its question mark."""
    return [{"name": name, "in": "query", "schema": msgspec.json.schema(kind)} for name, kind in query.items()]
