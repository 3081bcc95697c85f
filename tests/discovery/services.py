"""Services on loopback that answer GET as the real ones do; what each was asked can be looked at.

The bodies were recorded from the real programs where these run on Linux without an installer (Foundry's SDK
service 2.2.1, llama.cpp), and are else those of their documentation, sources and issues.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Routes = Mapping[str, Any]
"""Paths with what they answer: a JSON value, a ready response, or a handler. A `*` answers all others."""


@dataclass
class Service:
    """One that runs."""

    port: int
    root: str
    asked: list[str] = field(default_factory=list)
    """Paths, as they came over the wire."""
    keys: list[str | None] = field(default_factory=list)
    """The `Authorization` of each request."""

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


@asynccontextmanager
async def serving(routes: Routes, *, host: str = "127.0.0.1") -> AsyncIterator[Service]:
    """A service with these routes on a free port."""

    async def answer(request: web.Request) -> web.StreamResponse:
        service.asked.append(request.raw_path)
        service.keys.append(request.headers.get("Authorization"))
        assert request.method == "GET"
        assert not await request.read()
        reply = routes.get(request.raw_path, routes.get("*"))
        if callable(reply):
            return await reply(request)  # type: ignore[no-any-return]
        if isinstance(reply, web.Response):
            return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
        if reply is None:
            return web.Response(status=404, text=f"No mapping for HTTP-method: 'GET', URL: '{request.raw_path}'\n")
        return web.json_response(reply)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    with listening(host) as listener:
        port = listener.getsockname()[1]
        service = Service(port, f"http://{f'[{host}]' if ':' in host else host}:{port}")
        await web.SockSite(runner, listener).start()
        try:
            yield service
        finally:
            await runner.cleanup()


@asynccontextmanager
async def speaking(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A server that handles its connections itself; gives its port. What still runs at the end is cut."""
    tasks: set[asyncio.Task[Any]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError, OSError):
            await handle(reader, writer)
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def listening(host: str = "127.0.0.1") -> socket.socket:
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setblocking(False)
    return listener


def models(*ids: str, **more: Any) -> dict[str, Any]:
    """OpenAI's list of models."""
    return {"object": "list", "data": [{"id": id_, "object": "model", "created": 0, **more} for id_ in ids]}


async def never(_request: web.Request) -> web.StreamResponse:
    """Accepts the question, and that is all."""
    await asyncio.Event().wait()
    raise AssertionError


PHI_CPU, PHI_GPU = "Phi-4-mini-instruct-generic-cpu:5", "Phi-4-mini-instruct-cuda-gpu:4"
QWEN = "qwen2.5-0.5b-instruct-generic-cpu:4"

FOUNDRY_SERVER: Routes = {
    "/status": {"endpoints": ["http://127.0.0.1:39695"], "modelCachePath": "/home/me/.foundry/cache", "pid": 7803},
    "/v1/models": {
        "data": [
            {"created": 0, "id": PHI_CPU, "object": "model", "owned_by": "Microsoft", "parent": "phi-4-mini"},
            {"created": 0, "id": PHI_GPU, "object": "model", "owned_by": "Microsoft", "parent": "phi-4-mini"},
            {"created": 0, "id": QWEN, "object": "model", "owned_by": "Microsoft", "parent": "qwen2.5-0.5b"},
        ],
        "object": "list",
    },
    "/models/loaded": [QWEN],
}

FOUNDRY_SERVICE: Routes = {
    "/openai/status": {
        "Endpoints": ["http://127.0.0.1:5273"],
        "ModelDirPath": "C:\\Users\\me\\.foundry\\cache\\models",
        "PipeName": "inference_agent",
    },
    "/v1/models": {
        **models(PHI_CPU, PHI_GPU, "whisper-tiny-generic-cpu:1"),
        "IsDelta": False,
        "Successful": True,
        "HttpStatusCode": 0,
    },
    "/openai/models": [PHI_CPU, PHI_GPU, "whisper-tiny-generic-cpu:1"],
    "/openai/loadedmodels": [PHI_CPU],
    "/foundry/list": [
        {"name": PHI_CPU, "alias": "phi-4-mini", "task": "chat-completion", "version": "5"},
        {"name": PHI_GPU, "alias": "phi-4-mini", "task": "chat-completion", "version": "4"},
        {"name": QWEN, "alias": "qwen2.5-0.5b", "task": "chat-completion", "version": "4"},
        {"name": "whisper-tiny-generic-cpu:1", "alias": "whisper-tiny", "task": "automatic-speech-recognition"},
    ],
}

_DETAILS = {"format": "gguf", "family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"}
OLLAMA: Routes = {
    "/api/version": {"version": "0.12.6"},
    "/v1/models": models("llama3.2:latest", "qwen3:8b", "gpt-oss:120b-cloud", owned_by="library"),
    "/api/tags": {
        "models": [
            {"name": "llama3.2:latest", "model": "llama3.2:latest", "size": 2019393189, "details": _DETAILS},
            {"name": "qwen3:8b", "model": "qwen3:8b", "size": 5225388164, "details": _DETAILS},
            {
                "name": "gpt-oss:120b-cloud",
                "model": "gpt-oss:120b-cloud",
                "remote_model": "gpt-oss:120b",
                "remote_host": "https://ollama.com:443",
                "size": 384,
                "details": {"format": ""},
            },
        ]
    },
    "/api/ps": {"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "size_vram": 0, "context_length": 4096}]},
}

_GGUF = {"object": "model", "compatibility_type": "gguf", "quantization": "Q4_K_M"}
LM_STUDIO: Routes = {
    "/v1/models": models("qwen/qwen3-8b", "gemma-3-4b-it", "text-embedding-nomic", owned_by="organization_owner"),
    "/api/v0/models": {
        "object": "list",
        "data": [
            {
                **_GGUF,
                "id": "qwen/qwen3-8b",
                "type": "llm",
                "state": "loaded",
                "max_context_length": 131072,
                "loaded_context_length": 4096,
            },
            {**_GGUF, "id": "gemma-3-4b-it", "type": "vlm", "state": "not-loaded", "max_context_length": 32768},
            {**_GGUF, "id": "text-embedding-nomic", "type": "embeddings", "state": "loaded"},
        ],
    },
    "*": {"error": "Unexpected endpoint or method. (GET /whatever)"},
}

VLLM: Routes = {
    "/version": {"version": "0.28.0"},
    "/v1/models": {
        "object": "list",
        "data": [
            {
                "id": "Qwen/Qwen3-8B",
                "object": "model",
                "created": 1746207038,
                "owned_by": "vllm",
                "root": "Qwen/Qwen3-8B",
                "parent": None,
                "max_model_len": 8192,
                "permission": [],
            },
            {
                "id": "zig-lora",
                "object": "model",
                "created": 1746207038,
                "owned_by": "vllm",
                "root": "./zig-lora",
                "parent": "Qwen/Qwen3-8B",
                "max_model_len": None,
            },
        ],
    },
}
