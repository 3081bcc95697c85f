"""Foundry Local's own web service with one model, offline: `python foundry_service.py MODEL_FOLDER SCRATCH_FOLDER`.

It prints its address, and ends with its input. The model stands in a catalogue written by hand, as the service
keeps it after having fetched one, for it doesn't serve models that were registered.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

ALIAS = "toy"
NAME = f"{ALIAS}-generic-cpu"
MODEL_ID = f"{NAME}:1"
NOWHERE = "http://127.0.0.1:9/asset-gallery/v1.0/models"


def write_catalogue(cache: Path, model: Path) -> None:
    """What the service looks for: an entry, and a folder that names its id."""
    folder = cache / "Local" / f"{NAME}-1"
    shutil.copytree(model, folder)
    (folder / "inference_model.json").write_text(json.dumps({"Name": MODEL_ID}), encoding="utf-8")
    entry = {
        "alias": ALIAS,
        "id": MODEL_ID,
        "name": NAME,
        "version": 1,
        "displayName": ALIAS,
        "modelType": "ONNX",
        "providerType": "FoundryLocal",
        "publisher": "example",
        "task": "chat-completion",
        "runtime": {"deviceType": "CPU", "executionProvider": "CPUExecutionProvider"},
        "uri": f"azureml://registries/example/models/{NAME}/versions/1",
        "stringProperties": {"task": "chat-completion", "type": "ONNX", "model_provider": "FoundryLocal"},
    }
    document = {"version": 1, "savedAtUnix": int(time.time()), "models": [entry]}
    (cache / "foundry.modelinfo.json").write_text(json.dumps(document), encoding="utf-8")


def main() -> None:
    """Serve until stdin ends."""
    model, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    os.environ["CI"] = "true"  # before the manager exists: it reports nothing then
    from foundry_local_sdk import Configuration, FoundryLocalManager, LogLevel

    cache = scratch / "models"
    cache.mkdir()
    write_catalogue(cache, model)
    manager = FoundryLocalManager(
        Configuration(
            app_name="homeward-tests",
            app_data_dir=str(scratch / "data"),
            model_cache_dir=str(cache),
            log_level=LogLevel.FATAL,
            disable_nonessential_telemetry=True,
            catalog_urls=[(NOWHERE, None)],
            web=Configuration.WebService(urls="http://127.0.0.1:0"),
        )
    )
    manager.start_web_service()
    assert manager.urls
    print(manager.urls[0], flush=True)  # noqa: T201
    sys.stdin.read()
    os._exit(0)


main()
