"""A chat-completions body, checked and turned into the one that the runtime takes.

The runtime accepts OpenAI's JSON, but drops in silence much that would change the answer, and reads
`json_schema` in a form of its own (measured on foundry-local-sdk 2.2.1). Here every such field is translated or
refused by name. Fields that don't change the answer (`user`, `metadata`, `store`, …) are ignored.
"""

import re
from typing import Any, Literal

import msgspec

from homeward.engines.foundry.refusals import RefusalError, invalid, unsupported

CONTINUE = "Continue your last answer exactly where it stops. Write only what comes next."
"""Put behind an answer that is to be continued: the runtime closes every message, so it can't write on in one."""

_MOST_STOPS = 4

_NEUTRAL: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "repeat_penalty": (1,),
    "min_p": (0,),
    "typical_p": (1,),
    "mirostat": (0,),
    "grammar": ("",),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
}
"""Fields that the runtime has no means for, and the values by which they ask for nothing."""


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Message(msgspec.Struct, kw_only=True):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class _Body(msgspec.Struct, kw_only=True):
    messages: list[_Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    body: dict[str, Any]
    """For the runtime; without `max_tokens`, which is known only when the prompt has been counted."""
    max_tokens: int | None
    """The most tokens of the answer; None for as many as fit."""
    stream: bool
    include_usage: bool


def read_body(raw: bytes, *, model: str, calls_tools: bool) -> Asked:
    """Check a body and translate it.

    Args:
        raw: the request's JSON.
        model: the name under which the model is served; the runtime repeats it in its answer.
        calls_tools: whether the model knows how to call tools. One that doesn't answers in words, unless a call
            is required.

    Raises:
        RefusalError: 400, 404 for another model; says which parameter and why.
    """
    fields = _fields(raw)
    body = _typed(fields)
    if body.model not in (None, model):
        raise RefusalError(404, f"This engine serves the model '{model}'.", code="model_not_found", param="model")
    _refuse_unsupported(fields)
    translated: dict[str, Any] = {"model": model, "messages": _messages(body.messages), **_sampling(body)}
    if (response_format := _response_format(body.response_format)) is not None:
        translated["response_format"] = response_format
    translated.update(_tools(body, calls_tools=calls_tools))
    return Asked(
        body=translated,
        max_tokens=_max_tokens(body),
        stream=bool(body.stream),
        include_usage=body.stream_options is not None and body.stream_options.include_usage,
    )


def _fields(raw: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        raise invalid("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise invalid("The body is not a JSON object.")
    return fields


def _typed(fields: dict[str, Any]) -> _Body:
    try:
        return msgspec.convert(fields, _Body)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at ")
        if missing := re.search(r"missing required field `(\w+)`", sentence):
            raise invalid(f"`{missing[1]}` is missing.", missing[1]) from None
        name = path.strip("`").removeprefix("$.") or None
        raise invalid(f"{sentence}: {name}." if name else f"{sentence}.", name) from None


def _refuse_unsupported(fields: dict[str, Any]) -> None:
    for name, neutral in _NEUTRAL.items():
        value = fields.get(name)
        if value is not None and value not in neutral:
            raise unsupported(name, "the runtime of this model has no means for it")


def _messages(messages: list[_Message]) -> list[dict[str, Any]]:
    if not messages:
        raise invalid("`messages` is empty.", "messages")
    translated = [_message(message, f"messages[{number}]") for number, message in enumerate(messages)]
    if messages[-1].role == "assistant" and not messages[-1].tool_calls:
        translated.append({"role": "user", "content": CONTINUE})
    return translated


def _message(message: _Message, where: str) -> dict[str, Any]:
    role = "system" if message.role == "developer" else message.role
    content = _text(message.content, where)
    if not content and not message.tool_calls and role not in ("system", "tool"):
        raise invalid(f"`{where}.content` is empty.", f"{where}.content")
    translated: dict[str, Any] = {"role": role, "content": content}
    if message.tool_calls:
        translated["tool_calls"] = message.tool_calls
    if message.tool_call_id is not None:
        translated["tool_call_id"] = message.tool_call_id
    return translated


def _text(content: str | list[_Part] | None, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.type != "text":  # beside a text part the runtime would drop it in silence
            raise unsupported(f"{where}.content", f"this model reads text only, not `{part.type}`")
    return "\n".join(part.text for part in content)


def _sampling(body: _Body) -> dict[str, Any]:
    if body.temperature is not None and not 0 <= body.temperature <= 2:
        raise invalid("`temperature` is from 0 to 2.", "temperature")
    if body.top_p is not None and not 0 <= body.top_p <= 1:
        raise invalid("`top_p` is from 0 to 1.", "top_p")
    if body.top_k is not None and body.top_k < 0:
        raise invalid("`top_k` is 0 or more.", "top_k")
    stops = [body.stop] if isinstance(body.stop, str) else body.stop
    if stops is not None and (len(stops) > _MOST_STOPS or not all(stops)):
        raise invalid(f"`stop` holds up to {_MOST_STOPS} texts, none of them empty.", "stop")
    sampling = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k or None,
        "seed": body.seed,
        "stop": stops or None,
    }
    return {name: value for name, value in sampling.items() if value is not None}


def _max_tokens(body: _Body) -> int | None:
    name = "max_tokens" if body.max_completion_tokens is None else "max_completion_tokens"
    value: int | None = getattr(body, name)
    if value is not None and value < 1:
        raise invalid(f"`{name}` is 1 or more.", name)
    return value


def _response_format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    """The runtime takes the bare schema; in OpenAI's wrapper it would be accepted and not enforced."""
    match (wanted or {}).get("type", "text"):
        case "text":
            return None
        case "json_object":
            return {"type": "json_object"}
        case "json_schema":
            wrapper = (wanted or {}).get("json_schema")
            schema = wrapper.get("schema") if isinstance(wrapper, dict) else None
            if not isinstance(schema, dict):
                raise invalid("`response_format.json_schema.schema` is missing.", "response_format")
            return {"type": "json_schema", "json_schema": schema}
        case _:
            raise invalid("`response_format.type` is `text`, `json_object` or `json_schema`.", "response_format")


def _tools(body: _Body, *, calls_tools: bool) -> dict[str, Any]:
    if not body.tools:
        return {}
    choice = "auto" if body.tool_choice is None else body.tool_choice
    if calls_tools:
        return {"tools": body.tools, "tool_choice": choice}
    if choice in ("auto", "none"):
        return {}
    raise unsupported("tool_choice", "this model cannot call tools, so it can't be made to")
