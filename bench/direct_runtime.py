"""A model runtime called directly, with nothing of Homeward between: the limit that the engines are measured against.

    python -m bench.direct_runtime llama MODEL.gguf
    python -m bench.direct_runtime foundry MODEL_FOLDER

Reads one JSON line per round from stdin, {"parallel": 2, "prompt": "…", "max_tokens": 64}, and answers each with one:
{"first": [seconds…], "tokens": n, "seconds": s}. The rounds run in threads, one per request, through the runtimes'
own Python calls (`Server.handle_chat_completions`, `ChatSession`): no HTTP.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[float, int]]
"""Answers one body; seconds until the first token, and the number of tokens."""


def main() -> None:
    """Serve rounds until stdin ends."""
    kind, path = sys.argv[1], Path(sys.argv[2])
    reports = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what native code prints goes to stderr
    answer = {"llama": llama, "foundry": foundry}[kind](path)
    print("ready", file=reports, flush=True)
    for line in sys.stdin:
        print(json.dumps(round_of(answer, json.loads(line))), file=reports, flush=True)
    os._exit(0)


def round_of(answer: Answer, wanted: dict[str, Any]) -> dict[str, Any]:
    """So many requests at once."""
    results: list[tuple[float, int]] = []

    def one(number: int) -> None:
        messages = [{"role": "user", "content": f"{number}. {wanted['prompt']}"}]
        body = {"model": "bench", "messages": messages, "max_tokens": wanted["max_tokens"], "temperature": 0}
        results.append(answer(body))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(wanted["parallel"])]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return {"first": [each[0] for each in results], "tokens": sum(each[1] for each in results), "seconds": seconds}


def llama(path: Path) -> Answer:
    """llama.cpp, with the parameters of our child."""
    import xllamacpp

    from homeward.engines.llama import llama_recipe
    from homeward.engines.llama_child import parameters

    recipe = llama_recipe(path, "bench", context_tokens=2560, slots=8)
    server = xllamacpp.Server(parameters(xllamacpp.CommonParams(), {**recipe.settings, "api_key": "bench"}))

    def answer(body: dict[str, Any]) -> tuple[float, int]:
        began, first, tokens = time.perf_counter(), 0.0, 0

        def heard(chunk: Any) -> bool:
            nonlocal first, tokens
            for each in chunk if isinstance(chunk, list) else [chunk]:
                if isinstance(each, dict) and each.get("usage"):
                    tokens = each["usage"]["completion_tokens"]
                choices = each.get("choices") if isinstance(each, dict) else None
                if choices and choices[0]["delta"].get("content"):
                    first = first or time.perf_counter() - began
            return False

        asked = {**body, "stream": True, "stream_options": {"include_usage": True}}
        server.handle_chat_completions(asked, heard)
        return first, tokens

    return answer


def foundry(path: Path) -> Answer:
    """Foundry Local, one session per request."""
    os.environ.update(CI="true", ORT_TELEMETRY_DISABLED="1")
    from foundry_local_sdk import ChatSession, Request, TextItem, TextItemType

    from homeward.engines.foundry.runtime import load_model

    model = load_model(path, Path(tempfile.mkdtemp(prefix="homeward-bench-")))

    def answer(body: dict[str, Any]) -> tuple[float, int]:
        began, first = time.perf_counter(), 0.0
        with ChatSession(model) as session, Request() as request:
            request.add_item(TextItem(json.dumps(body), TextItemType.OPENAI_JSON))
            session.set_streaming(True)
            with session.process_streaming_request(request) as stream:
                for number, _ in enumerate(stream):
                    if number == 1:  # the very first one is empty
                        first = time.perf_counter() - began
                with stream.final_response as final:
                    return first, int(json.loads(text_of(final.get_item(0)))["usage"]["completion_tokens"])

    return answer


def text_of(item: object) -> str:
    """What an OPENAI_JSON request is answered with."""
    from foundry_local_sdk import TextItem

    assert isinstance(item, TextItem)
    return str(item.text)


if __name__ == "__main__":
    main()
