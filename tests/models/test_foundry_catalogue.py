"""What the real Foundry Local SDK does when it lists, downloads and removes models; observed with 2.2.1.

The manager of the SDK exists once per process, and some of its calls cannot be stopped; so it runs in child
processes. The functions marked "in the child" run there, each with a manager of its own, and return plain values.
"""

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest

from tests.foundry_catalogue import CatalogueModel, Fault, FoundryCatalogue, serving_in_thread, write_certificate

if TYPE_CHECKING:
    from foundry_local_sdk import FoundryLocalManager
    from foundry_local_sdk.imodel import IModel

pytestmark = pytest.mark.skipif(find_spec("foundry_local_sdk") is None, reason="Foundry Local is not installed")

SPAWN = multiprocessing.get_context("spawn")
CHUNK = 2 * 1024 * 1024
"""Files are asked for in ranges of this size."""
NETWORK, CANCELLED, INVALID_USAGE, INTERNAL = 6, 5, 4, 2
"""`FoundryLocalException.error_code`."""
FINISHED = 101.0
T = TypeVar("T")


class Setup(msgspec.Struct, frozen=True):
    """What the child needs to open its manager."""

    configuration: dict[str, Any]
    environment: dict[str, str]
    cache: Path


class Outcome(msgspec.Struct, frozen=True):
    """Of one download."""

    cached_before: bool
    error_code: int | None
    progress: list[float]
    cached: bool
    load_error_code: int | None


@contextmanager
def opened(setup: Setup) -> Iterator["FoundryLocalManager"]:
    """In the child: the manager, with one connection per download so that files come in order."""
    os.environ.update(setup.environment)
    from foundry_local_sdk import Configuration, FoundryLocalManager, LogLevel

    settings = setup.configuration
    settings["additional_settings"]["NumModelDownloadThreads"] = "1"
    manager = FoundryLocalManager(
        Configuration(
            app_name="tests",
            app_data_dir=str(setup.cache.parent / "data"),
            model_cache_dir=str(setup.cache),
            log_level=LogLevel.FATAL,
            disable_nonessential_telemetry=True,
            **settings,
        )
    )
    try:
        yield manager
    finally:
        manager.close()


def error_code_of(action: Callable[[], object]) -> int | None:
    """In the child: None where it went well."""
    from foundry_local_sdk.exception import FoundryLocalException

    try:
        action()
    except FoundryLocalException as error:
        code: int = error.error_code
        return code
    return None


def downloaded(model: "IModel", cancel_above: float = 100.0) -> Outcome:
    """In the child."""
    cached_before, progress, cancel = model.is_cached, list[float](), threading.Event()

    def on_progress(percent: float) -> None:
        progress.append(percent)
        if percent > cancel_above:
            cancel.set()

    code = error_code_of(lambda: model.download(on_progress, cancel))
    return Outcome(cached_before, code, progress, model.is_cached, error_code_of(model.load))


def toy_of(manager: "FoundryLocalManager") -> "IModel":
    """In the child."""
    model = manager.catalog.get_model("toy")
    assert model is not None
    return model


def download(setup: Setup, cancel_above: float = 100.0) -> Outcome:
    """In the child."""
    with opened(setup) as manager:
        model = toy_of(manager)
        outcome = downloaded(model, cancel_above)
        if outcome.load_error_code is None:
            model.unload()
        return outcome


def download_and_tell(setup: Setup, tell: Connection) -> None:
    """In the child: sends each progress value, and one beyond 100 at the end."""
    with opened(setup) as manager:
        toy_of(manager).download(tell.send)
    tell.send(FINISHED)


def listed(setup: Setup, rounds: int = 1) -> list[list[tuple[str, bool]]]:
    """In the child: ids and whether they are cached, for each time that the list is asked for."""
    with opened(setup) as manager:
        return [[(model.id, model.is_cached) for model in manager.catalog.list_models()] for _ in range(rounds)]


def described(setup: Setup) -> list[dict[str, str]]:
    """In the child."""
    with opened(setup) as manager:
        infos = [variant.info for model in manager.catalog.list_models() for variant in model.variants]
        return [{name: str(getattr(info, name)) for name in info.__dataclass_fields__} for info in infos]


def removed_and_downloaded_again(setup: Setup) -> tuple[int | None, bool, Outcome]:
    """In the child: removal while loaded, removal once unloaded, then the download."""
    with opened(setup) as manager:
        model = toy_of(manager)
        refused = error_code_of(lambda: (model.load(), model.remove_from_cache()))
        error_code_of(model.unload)
        model.remove_from_cache()
        cached = model.is_cached
        outcome = downloaded(model)
        error_code_of(model.unload)
        return refused, cached, outcome


def registered(setup: Setup, folder: str) -> tuple[dict[str, str], int | None, int | None]:
    """In the child: a folder as a model of one's own; its info, loading it and removing it."""
    from foundry_local_sdk.catalog import CatalogType
    from foundry_local_sdk.model_info import ModelInfoBuilder

    with opened(setup) as manager, ModelInfoBuilder() as builder:
        local = manager.get_catalog(CatalogType.LOCAL)
        local.register_model(folder, "own-generic-cpu:1", builder.set_string_property("task", "chat-completion"))
        model = local.get_model("own")
        assert model is not None
        info = {name: str(getattr(model.info, name)) for name in ("license", "context_length", "supports_tool_calling")}
        loading = error_code_of(model.load)
        error_code_of(model.unload)
        return info, loading, error_code_of(model.remove_from_cache)


class Child:
    """A process where one function runs after the other."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        return self._pool.submit(function, *arguments).result()


@pytest.fixture(scope="module")
def in_child() -> Iterator[Child]:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        yield Child(pool)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that loads, with another file that spans four ranges."""
    from tools.make_toy_onnx import write_model

    folder = write_model(tmp_path_factory.mktemp("toy") / "model")
    (folder / "weights.bin").write_bytes(Random(0).randbytes(3 * CHUNK + 5))
    return folder


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate") / "certificate.pem")


@pytest.fixture
def catalogue(toy: Path, certificate: Path) -> Iterator[FoundryCatalogue]:
    with serving_in_thread(CatalogueModel(folder=toy), certificate=certificate) as served:
        yield served


@pytest.fixture
def setup(catalogue: FoundryCatalogue, tmp_path: Path) -> Setup:
    return Setup(catalogue.configuration(), catalogue.environment(), tmp_path / "cache")


def folder_of(setup: Setup) -> Path:
    """Where the model lies: publisher, then name and version."""
    return setup.cache / "Example" / "toy-generic-cpu-1"


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ranges_of(catalogue: FoundryCatalogue, file: str) -> list[int]:
    return [asked.first_byte for asked in catalogue.asked_for("bytes", file)]


def test_an_entry_becomes_the_info_of_a_variant(in_child: Child, setup: Setup, toy: Path) -> None:
    """All that the catalogue tells; prompt template and tool call markers are not among it."""
    size = sum(path.stat().st_size for path in toy.iterdir()) // 2**20
    assert in_child(described, setup) == [
        {
            "id": "toy-generic-cpu:1",
            "name": "toy-generic-cpu",
            "version": "1",
            "alias": "toy",
            "display_name": "Toy",
            "provider_type": "FoundryLocal",
            "uri": "azureml://registries/example/models/toy-generic-cpu/versions/1",
            "model_type": "ONNX",
            "prompt_template": "None",
            "publisher": "Example",
            "model_settings": "None",
            "license": "MIT",
            "license_description": "Do as you like.",
            "task": "chat-completion",
            "runtime": "Runtime(device_type=<DeviceType.CPU: 'CPU'>, execution_provider='CPUExecutionProvider')",
            "file_size_mb": str(size),
            "supports_tool_calling": "True",
            "max_output_tokens": "1024",
            "min_fl_version": "None",
            "created_at_unix": "1705314600",
            "context_length": "2048",
            "input_modalities": "text",
            "output_modalities": "text",
            "capabilities": "tool-calling",
        }
    ]


def test_a_download_brings_every_file_and_a_note_of_the_id(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, toy: Path
) -> None:
    """Progress is percent of bytes, never falls and ends at 100; a second download asks for nothing."""
    first = in_child(download, setup)
    assert (first.error_code, first.cached, first.load_error_code) == (None, True, None)
    assert first.progress == sorted(first.progress)
    assert (first.progress[0], first.progress[-1]) == (0.0, 100.0)
    files = files_in(folder_of(setup))
    assert json.loads(files.pop("inference_model.json")) == {"Name": "toy-generic-cpu:1", "PromptTemplate": None}
    assert files == files_in(toy)
    assert ranges_of(catalogue, "weights.bin") == [0, CHUNK, 2 * CHUNK, 3 * CHUNK]
    assert in_child(download, setup).progress == [100.0]
    assert len(catalogue.asked_for("registry")) == 1


def test_a_cancelled_download_goes_on_where_it_was(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, toy: Path
) -> None:
    """Cancelled after two ranges, of which the first is noted: not cached, does not load, and then goes on."""
    cancelled = in_child(download, setup, 40.0)
    assert (cancelled.error_code, cancelled.cached, cancelled.load_error_code) == (CANCELLED, False, INTERNAL)
    assert {"download.tmp", "weights.bin.dlstate"} <= files_in(folder_of(setup)).keys()
    assert (folder_of(setup) / "weights.bin").stat().st_size == (toy / "weights.bin").stat().st_size
    catalogue.requests.clear()
    resumed = in_child(download, setup)
    assert (resumed.cached_before, resumed.cached, resumed.load_error_code) == (False, True, None)
    assert resumed.progress == sorted(resumed.progress)
    assert ranges_of(catalogue, "weights.bin") == [CHUNK, 2 * CHUNK, 3 * CHUNK]
    assert ranges_of(catalogue, "model.onnx") == []
    assert files_in(folder_of(setup)).items() >= files_in(toy).items()


class Downloading:
    """A download in a process of its own."""

    def __init__(self, setup: Setup) -> None:
        self._progress, tell = SPAWN.Pipe(duplex=False)
        self._process = SPAWN.Process(target=download_and_tell, args=(setup, tell))
        self._process.start()
        tell.close()  # so that the end of the process is the end of the pipe

    def above(self, percent: float) -> float:
        """Waits for progress of more; EOFError where the process ends before."""
        while (now := self._progress.recv()) <= percent:
            pass
        return float(now)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def test_a_killed_download_starts_the_file_anew(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, toy: Path
) -> None:
    """What was received is noted every 16 MiB and at an orderly end only; whole files are kept."""
    catalogue.faults.append(Fault(name="hang", file="weights.bin", from_byte=2 * CHUNK))
    downloading = Downloading(setup)
    downloading.above(40)
    downloading.kill()
    assert {"download.tmp", "weights.bin.dlstate", ".download.lock"} <= files_in(folder_of(setup)).keys()
    catalogue.faults.clear()
    catalogue.requests.clear()
    again = in_child(download, setup)
    assert (again.cached_before, again.cached, again.load_error_code) == (False, True, None)
    assert ranges_of(catalogue, "weights.bin") == [0, CHUNK, 2 * CHUNK, 3 * CHUNK]
    assert ranges_of(catalogue, "model.onnx") == []
    assert files_in(folder_of(setup)).items() >= files_in(toy).items()


def test_a_file_of_the_right_size_counts_as_whole(in_child: Child, setup: Setup, toy: Path) -> None:
    """Files have their full size from the start; without the note beside it, a hole is taken for content."""
    in_child(download, setup, 40.0)
    (folder_of(setup) / "weights.bin.dlstate").unlink()
    outcome = in_child(download, setup)
    assert (outcome.error_code, outcome.cached) == (None, True)
    content = (folder_of(setup) / "weights.bin").read_bytes()
    assert len(content) == len((toy / "weights.bin").read_bytes())
    assert content[2 * CHUNK :] == bytes(CHUNK + 5)


@pytest.mark.parametrize(
    "fault",
    [Fault(name="corrupt", from_byte=1000), Fault(name="zeros"), Fault(name="short", from_byte=1000)],
    ids=lambda fault: fault.name,
)
def test_wrong_bytes_are_only_found_by_loading(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, fault: Fault
) -> None:
    """Nothing is verified: it counts as cached, and downloading again does not mend it; removing it does."""
    catalogue.faults.append(fault)
    first = in_child(download, setup)
    assert (first.error_code, first.cached, first.load_error_code) == (None, True, INTERNAL)
    catalogue.faults.clear()
    again = in_child(download, setup)
    assert (again.progress, again.load_error_code) == ([100.0], INTERNAL)
    _, cached, mended = in_child(removed_and_downloaded_again, setup)
    assert (cached, mended.cached, mended.load_error_code) == (False, True, None)


@pytest.mark.parametrize("name", ["cut", "reset"])
def test_a_connection_that_breaks_is_made_again(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, toy: Path, name: Any
) -> None:
    """The rest of the range is asked for from the byte where it broke."""
    catalogue.faults.append(Fault(name=name, file="weights.bin", from_byte=100_000, times=1))
    assert in_child(download, setup).error_code is None
    assert ranges_of(catalogue, "weights.bin") == [0, 100_000, CHUNK, 2 * CHUNK, 3 * CHUNK]
    assert files_in(folder_of(setup)).items() >= files_in(toy).items()


def test_the_storage_may_ask_to_wait(in_child: Child, setup: Setup, catalogue: FoundryCatalogue) -> None:
    """429 on a file is tried again, after as long as Retry-After says."""
    catalogue.faults.append(Fault(name="status", status=429, retry_after_seconds=1, times=1))
    assert in_child(download, setup).load_error_code is None
    assert ranges_of(catalogue, "model.onnx") == [0, 0]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(name="status", part="registry", status=429, retry_after_seconds=1),
        Fault(name="status", part="registry", status=500),
        Fault(name="status", part="listing", status=429, retry_after_seconds=1),
        Fault(name="status", part="bytes", status=403),
    ],
    ids=lambda fault: f"{fault.part}-{fault.status}",
)
def test_other_refusals_end_it_at_once(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, fault: Fault
) -> None:
    """A network error after one request."""
    catalogue.faults.append(fault)
    outcome = in_child(download, setup)
    assert (outcome.error_code, outcome.cached) == (NETWORK, False)
    file = fault.file if fault.part == "bytes" else ""
    assert len(catalogue.asked_for(fault.part, file)) == 1


def test_a_catalogue_that_fails_is_an_empty_list_until_it_is_well(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue
) -> None:
    """No error is raised; a later process sees the models."""
    catalogue.faults.append(Fault(name="status", part="catalogue", status=404))
    assert in_child(listed, setup) == [[]]
    catalogue.faults.clear()
    assert in_child(listed, setup) == [[("toy-generic-cpu:1", False)]]


def test_offline_the_list_of_the_last_time_stands(in_child: Child, setup: Setup, catalogue: FoundryCatalogue) -> None:
    """Kept in the cache's folder; asked for twice, the catalogue is tried once."""
    in_child(download, setup)
    catalogue.faults.append(Fault(name="status", part="catalogue", status=404))
    catalogue.requests.clear()
    assert in_child(listed, setup, 2) == [[("toy-generic-cpu:1", True)]] * 2
    assert len(catalogue.asked_for("catalogue")) == 1


def test_an_alias_stays_with_the_version_on_disk(
    in_child: Child, setup: Setup, catalogue: FoundryCatalogue, toy: Path
) -> None:
    """A newer version is another variant, which stands first but is not chosen."""
    in_child(download, setup)
    catalogue.models += (CatalogueModel(folder=toy, version=2),)
    assert in_child(listed, setup) == [[("toy-generic-cpu:1", True)]]
    assert [info["version"] for info in in_child(described, setup)] == ["2", "1"]


def test_two_processes_download_a_model_once(setup: Setup, catalogue: FoundryCatalogue, toy: Path) -> None:
    """The second one waits at 0 percent; when the first one is killed, it takes over."""
    catalogue.faults.append(Fault(name="hang", file="weights.bin", from_byte=2 * CHUNK, times=1))
    first = Downloading(setup)
    first.above(40)
    second = Downloading(setup)
    assert second.above(-1) == 0
    assert len(catalogue.asked_for("registry")) == 1
    first.kill()
    assert second.above(100) == FINISHED
    assert len(catalogue.asked_for("registry")) == 2
    assert files_in(folder_of(setup)).items() >= files_in(toy).items()


def test_a_downloaded_folder_can_be_registered_elsewhere(in_child: Child, setup: Setup, tmp_path: Path) -> None:
    """In place, by a process with another cache; the catalogue's knowledge does not come along."""
    in_child(download, setup)
    elsewhere = Setup(setup.configuration, setup.environment, tmp_path / "elsewhere" / "cache")
    info, loading, removing = in_child(registered, elsewhere, str(folder_of(setup)))
    assert info == {"license": "None", "context_length": "2048", "supports_tool_calling": "None"}
    assert (loading, removing) == (None, INVALID_USAGE)
    assert folder_of(setup).is_dir()


def test_removing_refuses_a_loaded_model_and_leaves_an_empty_folder(in_child: Child, setup: Setup) -> None:
    """And the model can be downloaded again."""
    in_child(download, setup)
    refused, cached, again = in_child(removed_and_downloaded_again, setup)
    assert (refused, cached) == (INVALID_USAGE, False)
    assert again.cached
