"""The ways in which the fake upstream answers, by the name of the model that is asked for."""

import asyncio
import email.utils
import gzip
import json
import time
from collections.abc import Awaitable, Callable

from tests.backends.exchange import CANARY, MODELS, TEXT, USAGE, WORDS, Exchange, Json, chunk, completion

Fault = Callable[["Exchange"], Awaitable[None]]

FAULTS: dict[str, Fault] = {}


def fault(pattern: str) -> Callable[[Fault], Fault]:
    """Selects a behaviour by a pattern that the whole model name must match."""

    def register(behaviour: Fault) -> Fault:
        FAULTS[pattern] = behaviour
        return behaviour

    return register


async def for_ever() -> None:
    await asyncio.Event().wait()


async def other_paths(x: Exchange) -> None:
    """Models, and counting tokens: here a word is one."""
    match x.asked.path:
        case "/v1/models":
            await x.json({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
        case "/v1/chat/completions/input_tokens":
            words = " ".join(message["content"] for message in x.asked.body["messages"]).split()
            await x.json({"input_tokens": len(words)})
        case "/strange/v1/models" | "/strange/v1/chat/completions/input_tokens":
            await x.json({"data": CANARY})
        case "/portal/v1/models":
            await html_200(x)
        case "/silent/v1/models":
            await for_ever()
        case _:
            await x.refuse(404)


async def unknown(x: Exchange) -> None:
    await x.refuse(404, code="model_not_found")


async def no_entry(x: Exchange) -> None:
    """As Azure says it."""
    await x.refuse(401, code="401")


async def other_version(x: Exchange) -> None:
    """As Azure says it."""
    await x.refuse(400, message=f"API version not supported {CANARY}", code="BadRequest")


# Whole answers


@fault("ok")
async def ok(x: Exchange) -> None:
    if x.asked.body.get("stream"):
        await ok_streamed(x)
    else:
        await x.json(completion(TEXT, usage=USAGE))


async def ok_streamed(x: Exchange) -> None:
    await x.head(headers=["Set-Cookie: visit=1; Path=/"], keep_alive=True)
    await x.event(chunk({"role": "assistant", "content": ""}))
    for word in WORDS:
        await x.word(word)
    await x.event(chunk({}, "stop"))
    await x.event(chunk({}) | {"choices": [], "usage": USAGE})
    await x.end()


@fault("zero-tokens-late")
async def zero_tokens_late(x: Exchange) -> None:
    """Whole and empty, but not at once."""
    await x.head()
    await asyncio.sleep(x.pace)
    await x.event(chunk({}, "stop"))
    await x.end()


@fault("echo")
async def echo(x: Exchange) -> None:
    """What it was asked, in pieces of three characters."""
    await x.head()
    text = x.asked.body["messages"][-1]["content"]
    for at in range(0, len(text), 3):
        await x.word(text[at : at + 3])
    await x.finish()


@fault("body")
async def body(x: Exchange) -> None:
    """What it was asked, whole, as JSON."""
    await x.head()
    await x.word(json.dumps(x.asked.body))
    await x.finish()


CALLS = [("call_a", "weather", '{"city": "Paris"}'), ("call_b", "time", '{"zone": "CET"}')]
"""Ids, names and arguments."""


@fault("calls(-from-1|-unnumbered|-objects)?")
async def calls(x: Exchange) -> None:
    """Two tool calls, their arguments in pieces, as OpenAI sends them or as others do."""
    await x.head()
    for number, (call_id, name, arguments) in enumerate(CALLS):
        index = {"index": number + (x.model == "calls-from-1")} if x.model != "calls-unnumbered" else {}
        if x.model == "calls-objects":
            function = {"name": name, "arguments": json.loads(arguments)}
            await x.event(chunk({"tool_calls": [{**index, "id": call_id, "function": function}]}))
            continue
        function = {"name": name, "arguments": ""}
        await x.event(chunk({"tool_calls": [{**index, "id": call_id, "type": "function", "function": function}]}))
        for at in range(0, len(arguments), 5):
            await x.event(chunk({"tool_calls": [{**index, "function": {"arguments": arguments[at : at + 5]}}]}))
    await x.finish("tool_calls" if x.model == "calls" else "stop")


@fault("logprobs")
async def logprobs(x: Exchange) -> None:
    """Each word with its probability, and one that could have stood there."""
    await x.head()
    for word in WORDS:
        top = [{"token": " dog", "logprob": -2.5, "bytes": [32, 100]}]
        token = {"token": word, "logprob": -0.5, "bytes": list(word.encode()), "top_logprobs": top}
        event = chunk({"content": word})
        event["choices"][0]["logprobs"] = {"content": [token]}
        await x.event(event)
    await x.finish()


@fault("hostile")
async def hostile(x: Exchange) -> None:
    """What Open WebUI would obey, and a strict client break on."""
    script = {"type": "execute", "data": {"code": "document.title = 'taken'"}}
    await x.head()
    await x.event({"event": script})
    await x.event({"type": "response.output_text.delta", "delta": CANARY})
    await x.event(chunk({"content": "Once", "event": script}, event=script, selected_model_id="evil", pipeline=True))
    await x.finish()


@fault("ok-slow")
async def ok_slow(x: Exchange) -> None:
    await x.head()
    for word in WORDS * 4:
        await x.word(word)
        await asyncio.sleep(x.pace)
    await x.finish()


@fault("no-done(-rst|-stall)?")
async def no_done(x: Exchange) -> None:
    """Finished, but the end is missing."""
    await x.head()
    await x.first_words()
    await x.event(chunk({}, "stop"))
    if x.model == "no-done":
        await x.end(done=False)
    elif x.model == "no-done-stall":
        await for_ever()
    else:
        await asyncio.sleep(x.pace)
        x.reset()


@fault("zero-tokens")
async def zero_tokens(x: Exchange) -> None:
    """A valid answer without text or usage."""
    await x.head()
    await x.event(chunk({"role": "assistant"}))
    await x.finish()


@fault("usage-null")
async def usage_null(x: Exchange) -> None:
    await x.head()
    await x.event(chunk({"content": TEXT}, usage=None))
    await x.event(chunk({}, "stop", usage={"prompt_tokens": None, "completion_tokens": 3}))
    await x.end()


@fault("split-bytes")
async def split_bytes(x: Exchange) -> None:
    """Multi-byte text, CRLF and comments, one byte at a time."""
    event = json.dumps(chunk({"content": "Größe 😀"}), ensure_ascii=False)
    await x.head()
    for byte in f"data: {event}\r\n\r\n: comment\n\n".encode():
        await x.body(bytes([byte]))
    await x.finish()


@fault("line-separators")
async def line_separators(x: Exchange) -> None:
    """U+2028 and U+0085 as they are, which are no line ends here."""
    await x.head()
    event = json.dumps(chunk({"content": "one\u2028two\u0085three"}), ensure_ascii=False)
    await x.body(f"data: {event}\n\n".encode())
    await x.finish()


@fault("azure")
async def azure(x: Exchange) -> None:
    await x.head()
    await x.event({"id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}], "usage": None})
    await x.first_words()
    await x.event(chunk({}, "stop", content_filter_results={}))
    await x.event({"id": "", "choices": [], "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 3}}})
    await x.end()


@fault("thinking-(reasoning_content|reasoning)")
async def thinking(x: Exchange) -> None:
    await x.head()
    await x.event(chunk({"role": "assistant", "content": None, x.model.removeprefix("thinking-"): "Hm."}))
    await x.word("Yes.")
    await x.finish()


@fault("json-200")
async def json_200(x: Exchange) -> None:
    """One that does not stream."""
    await x.json(completion(TEXT, usage=USAGE))


@fault(r"flaky-(\d+)")
async def flaky(x: Exchange) -> None:
    """flaky-3: the first three calls are refused with 500."""
    if x.call_number <= int(x.model.removeprefix("flaky-")):
        return await x.refuse(500)
    return await ok(x)


# Broken off


@fault("half-event-(rst|fin|chunked-fin)")
async def half_event(x: Exchange) -> None:
    way = x.model.removeprefix("half-event-")
    await x.head(chunked=way != "fin")
    await x.first_words()
    await x.body(b'data: {"id":"chatcmpl-fake","choices":[{"index":0,"delta":{"content":" ha')
    await asyncio.sleep(x.pace)
    if way == "rst":
        x.reset()


@fault("silent-end")
async def silent_end(x: Exchange) -> None:
    """Ends on an event's border, as if all were well."""
    await x.head()
    await x.first_words()
    await x.end(done=False)


@fault("done-without-finish")
async def done_without_finish(x: Exchange) -> None:
    await x.head()
    await x.first_words()
    await x.end()


@fault("finish-(.+)")
async def any_finish(x: Exchange) -> None:
    await x.head()
    await x.first_words()
    await x.finish(x.model.removeprefix("finish-"))


@fault("error-(data|data-done|event|text|bare|429|before)")
async def error_inside(x: Exchange) -> None:
    """An error object within the stream, in the ways of different servers."""
    way = x.model.removeprefix("error-")
    error: Json = {"message": CANARY, "type": "server_error", "code": 429 if way == "429" else "engine_died"}
    await x.head()
    if way != "before":
        await x.first_words()
    if way == "event":
        await x.body(b"event: error\n")
    if way == "bare":
        await x.event({"object": "error", **error})
    else:
        await x.event({"error": CANARY if way == "text" else error})
    await x.end(done=way == "data-done")


@fault("rst-before-headers")
async def rst_before_headers(x: Exchange) -> None:
    x.reset()


@fault("fin-before-headers")
async def fin_before_headers(x: Exchange) -> None:
    x.keep_alive = False


# Too slow, too long


@fault("no-headers")
async def no_headers(x: Exchange) -> None:
    await for_ever()


@fault("no-first-token-(silence|comments|chunks)")
async def no_first_token(x: Exchange) -> None:
    """Headers, and then nothing that counts."""
    way = x.model.removeprefix("no-first-token-")
    await x.head()
    while way != "silence":
        if way == "comments":
            await x.body(b": still loading\n\n")
        else:
            await x.event(chunk({"role": "assistant", "content": ""}))
        await asyncio.sleep(x.pace)
    await for_ever()


@fault("stall-after-token(-comments)?")
async def stall_after_token(x: Exchange) -> None:
    await x.head()
    await x.first_words()
    while x.model.endswith("-comments"):
        await x.body(b": still here\n\n")
        await asyncio.sleep(x.pace)
    await for_ever()


@fault("slow-loris")
async def slow_loris(x: Exchange) -> None:
    """Two words, then one byte per pace: every read succeeds, the event does not end."""
    await x.head()
    await x.first_words()
    for byte in b"data: " + json.dumps(chunk({"content": "x" * 2000})).encode() + b"\n\n":
        await x.body(bytes([byte]))
        await asyncio.sleep(x.pace)


@fault("never-ends")
async def never_ends(x: Exchange) -> None:
    """Each event is in time."""
    await x.head()
    while True:
        await x.word(" and")
        await asyncio.sleep(x.pace)


@fault("flood")
async def flood(x: Exchange) -> None:
    """As fast as the client takes it."""
    await x.head()
    while True:
        await x.word(" and" * 1000)


@fault("huge-line(-late)?")
async def huge_line(x: Exchange) -> None:
    """One event of 32 MB without a line end before its last byte."""
    await x.head()
    if x.model == "huge-line-late":
        await x.first_words()
    await x.body(b'data: {"choices":[{"index":0,"delta":{"content":"')
    for _ in range(512):
        await x.body(b"x" * 65536)
    await x.body(b'"},"finish_reason":null}]}\n\n')
    await x.end()


@fault("huge-json-200")
async def huge_json_200(x: Exchange) -> None:
    await x.json(completion("x" * 2_000_000))


# Not the protocol


@fault("malformed-json")
async def malformed_json(x: Exchange) -> None:
    await x.head()
    await x.first_words()
    await x.body(b'data: {"choices": [{"delta": {"content": "x"]}\n\n')
    await x.end()


@fault("not-an-object")
async def not_an_object(x: Exchange) -> None:
    await x.head()
    await x.first_words()
    await x.event(["a list"])
    await x.end()


@fault("garbage-(body|answer)")
async def garbage(x: Exchange) -> None:
    """The bytes that the first message holds as hexadecimal digits, as stream or in place of an HTTP answer."""
    if x.model == "garbage-body":
        await x.head(chunked=False)
    await x.write(bytes.fromhex(x.asked.body["messages"][0]["content"]))


@fault("html-200")
async def html_200(x: Exchange) -> None:
    """A captive portal."""
    page = f"<html><title>Log in</title>{CANARY}</html>".encode()
    await x.head(200, "text/html", length=len(page))
    await x.write(page)


@fault("json-200-(half|slow|strange|error)")
async def strange_json_200(x: Exchange) -> None:
    way = x.model.removeprefix("json-200-")
    if way in {"half", "slow"}:
        await x.head(200, "application/json", length=1000)
        await x.write(b'{"choices": [')
        if way == "slow":
            await for_ever()
    else:
        await x.json({"error": CANARY} if way == "error" else {"message": CANARY})


@fault("gzip")
async def gzipped(x: Exchange) -> None:
    body = gzip.compress(b"data: " + json.dumps(chunk({"content": TEXT}, "stop")).encode() + b"\n\n")
    await x.head(200, headers=["Content-Encoding: gzip"], length=len(body))
    await x.write(body)


@fault("not-http")
async def not_http(x: Exchange) -> None:
    await x.write(b"SSH-2.0-OpenSSH_9.9 " + CANARY.encode() + b"\r\n\r\n")


@fault("redirect")
async def redirect(x: Exchange) -> None:
    await x.refuse(307, ["Location: /v1/models"])


# Refused


@fault(r"429-(after|ms)-(\S+)|429-plain|429-both")
async def rate_limited(x: Exchange) -> None:
    """429-after-20, 429-after--1, 429-after-inf, 429-after-date, 429-ms-1500, ..."""
    headers = []
    if x.model == "429-after-date":
        headers = ["Retry-After: " + email.utils.formatdate(time.time() + 20, usegmt=True)]
    elif x.model == "429-after-past":
        headers = ["Retry-After: " + email.utils.formatdate(time.time() - 20, usegmt=True)]
    elif x.model == "429-both":
        headers = ["Retry-After: 7", "retry-after-ms: 2500"]
    elif x.model.startswith("429-after-"):
        headers = ["Retry-After: " + x.model.removeprefix("429-after-")]
    elif x.model.startswith("429-ms-"):
        headers = ["retry-after-ms: " + x.model.removeprefix("429-ms-")]
    await x.refuse(429, headers, type="rate_limit_error", code="rate_limit_exceeded")


@fault(r"status-(\d{3})")
async def any_status(x: Exchange) -> None:
    await x.refuse(int(x.model.removeprefix("status-")))


@fault("code-(\\d{3})-(.+)")
async def status_with_code(x: Exchange) -> None:
    """code-404-DeploymentNotFound, code-429-insufficient_quota, ..."""
    _, status, code = x.model.split("-")
    await x.refuse(int(status), code=code)


@fault("wants-(max_tokens|max_completion_tokens)")
async def wants_another_field(x: Exchange) -> None:
    """OpenAI's words."""
    other = {"wants-max_tokens": "max_completion_tokens", "wants-max_completion_tokens": "max_tokens"}[x.model]
    if other not in x.asked.body:
        return await ok(x)
    message = f"Unsupported parameter: '{other}' is not supported with this model. {CANARY}"
    return await x.refuse(400, message=message, type="invalid_request_error", code="unsupported_parameter")


@fault("status-500-(page|silence|endless)")
async def bad_refusal(x: Exchange) -> None:
    """A refusal whose body is a page, does not come, or does not end."""
    way = x.model.removeprefix("status-500-")
    await x.head(500, "text/html")
    if way == "page":
        await x.body(b"<html>" + CANARY.encode())
        await x.end(done=False)
    while way == "endless":
        await x.body(b"x" * 65536)
    if way == "silence":
        await for_ever()


CANT_SEE = {
    "llama": (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
    "ollama": (500, "this model is missing data required for image input"),
    "openai": (400, "Invalid content type. image_url is only supported by certain models."),
    "vllm": (400, "At most 0 image(s) may be provided in one prompt."),
}


@fault("cant-see-(.+)")
async def cant_see(x: Exchange) -> None:
    """Images for a model of texts, in the words of llama.cpp, Ollama, OpenAI and vLLM; texts alone are answered."""
    if "image_url" not in str(x.asked.body["messages"]):
        return await ok(x)
    status, message = CANT_SEE[x.model.removeprefix("cant-see-")]
    return await x.refuse(status, message=message, code=status, type="server_error")


@fault("context-length(-.+)?")
async def context_length(x: Exchange) -> None:
    """Too long, in the words of OpenAI, llama.cpp and vLLM."""
    match x.model:
        case "context-length":
            await x.refuse(400, message="too long", code="context_length_exceeded")
        case "context-length-openai":
            message = (
                "This model's maximum context length is 4096 tokens. However, you requested 6000 tokens "
                "(5000 in the messages, 1000 in the completion). Please reduce the length of the messages."
            )
            await x.refuse(400, message=message, code="context_length_exceeded")
        case "context-length-llama":
            await x.refuse(400, code=400, type="exceed_context_size_error", n_prompt_tokens=5000, n_ctx=4096)
        case _:
            message = (
                "This model's maximum context length is 4096 tokens. However, your request has 5000 input "
                "tokens. Please reduce the length of the input messages."
            )
            await x.refuse(400, message=message, type="BadRequestError", code=400)
