"""Asks a model folder through Foundry Local, in a process of its own: the runtime allows one manager per process.

    python foundry_child.py FOLDER < questions.json

Each question is a chat-completions body. The last line printed is JSON: the context length, and for each question the
streamed chunks and the completion, or the runtime's error code.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from foundry_local_sdk import (
    CatalogType,
    ChatSession,
    Configuration,
    FoundryLocalException,
    FoundryLocalManager,
    IModel,
    LogLevel,
    ModelInfoBuilder,
    Request,
    TextItem,
    TextItemType,
)


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data_folder:
        manager = FoundryLocalManager(
            Configuration(
                app_name="homeward-tests",
                app_data_dir=data_folder,
                log_level=LogLevel.FATAL,
                disable_nonessential_telemetry=True,
            )
        )
        try:
            model = registered(manager, Path(sys.argv[1]))
            model.load()
            replies = [reply(model, question) for question in json.load(sys.stdin)]
            context_length = model.context_length
            model.unload()
        finally:
            manager.close()
    sys.stdout.write(json.dumps({"context_length": context_length, "replies": replies}))


def registered(manager: FoundryLocalManager, folder: Path) -> IModel:
    with ModelInfoBuilder() as description:
        description.set_string_property("task", "chat-completion")
        return manager.get_catalog(CatalogType.LOCAL).register_model(folder, "tested:1", description)


def reply(model: IModel, question: dict[str, Any]) -> dict[str, Any]:
    """Streamed, as the engine does it."""
    with ChatSession(model) as session, Request() as request:
        request.add_item(TextItem(json.dumps(question), TextItemType.OPENAI_JSON))
        session.set_streaming(True)
        try:
            with session.process_streaming_request(request) as stream:
                chunks = [text_of(item) for item in stream]
                with stream.final_response as final:
                    return {"chunks": chunks, "completion": text_of(final.get_item(0))}
        except FoundryLocalException as error:
            return {"error_code": error.error_code}


def text_of(item: object) -> Any:
    assert isinstance(item, TextItem)
    return json.loads(item.text)


if __name__ == "__main__":
    main()
