"""The Foundry Local SDK behind a small face: one model in memory, one thread per answer that is being made.

Everything in the SDK blocks, and some of it cannot be interrupted: a cancelled request goes on until its prompt
has been read (measured on 2.2.1). So whoever waits for an answer waits for messages, never for a thread.

The model is always registered as the user's own, in a folder of this process's, from the folder in which its
files lie. That costs milliseconds, copies nothing and asks no network; the SDK's catalogue, which waits 4 s for
the network at its first use, is never touched. A model that came from the catalogue is such a folder as well.
"""

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
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

from homeward.engines.child import note
from homeward.engines.foundry.refusals import RefusalError, cancelled, place_in_source, runtime_refusal, too_long

_MODEL_ID = "homeward-model:1"
_SILENCE_SECONDS = 60.0
"""Between two tokens, and at the beginning; nothing that works is silent for so long."""
_SECONDS_PER_PROMPT_TOKEN = 0.5
"""Reading a prompt is silent. The slowest machine that makes sense still reads 2 tokens a second."""


class Accepted(msgspec.Struct, frozen=True):
    """The prompt has been counted and fits; the model begins."""

    prompt_tokens: int


class Piece(msgspec.Struct, frozen=True):
    """A `chat.completion.chunk` as JSON."""

    chunk: str


class Finished(msgspec.Struct, frozen=True):
    """The whole `chat.completion`, with its usage."""

    completion: dict[str, Any]


class Failed(msgspec.Struct, frozen=True):
    """There will be no more; nothing was said if this comes first."""

    refusal: RefusalError


Message = Accepted | Piece | Finished | Failed
Deliver = Callable[[Message], None]


class ProviderMissingError(Exception):
    """The model was made for a device that this machine does not have, or that nothing here can use."""


class Runtime:
    """A model that is in memory. Made by `load`; lives as long as the process."""

    def __init__(self, model: IModel, context_tokens: int) -> None:
        self._model = model
        self.context_tokens = context_tokens
        """What prompt and answer share."""

    @classmethod
    def load(cls, settings: dict[str, Any]) -> "Runtime":
        """Load the model that the settings name; blocks for as long as that takes.

        Raises:
            FoundryLocalException, ProviderMissingError: the runtime cannot use the folder.
        """
        model = load_model(
            Path(settings["model_folder"]),
            Path(settings["state_folder"]),
            execution_providers=settings["execution_providers"],
        )
        limits = [tokens for tokens in (settings["context_tokens"], model.context_length) if tokens]
        return cls(model, min(limits))

    def count(self, body: dict[str, Any]) -> int:
        """Tokens of the prompt that a body makes.

        Raises:
            RefusalError: the runtime cannot read it.
        """
        try:
            with self.session() as session, _request({**body, "max_tokens": 1}) as request:
                return int(session.preflight_request(request).prompt_tokens)
        except FoundryLocalException as error:
            raise _told(error) from None

    def begin(self, body: dict[str, Any], max_tokens: int | None, deliver: Deliver) -> "Generation":
        """Make an answer in a thread of its own; `deliver` is called there, last with `Finished` or `Failed`."""
        generation = Generation(self, body, max_tokens, deliver)
        threading.Thread(target=generation.run, name="generation", daemon=True).start()
        return generation

    @contextlib.contextmanager
    def session(self) -> Iterator[ChatSession]:
        """A session for one request."""
        session = ChatSession(self._model)
        with session:  # whose own __enter__ is typed as its base class
            yield session


class Generation:
    """One answer that is being made."""

    def __init__(self, runtime: Runtime, body: dict[str, Any], max_tokens: int | None, deliver: Deliver) -> None:
        self._runtime = runtime
        self._body = body
        self._max_tokens = max_tokens
        self._deliver = deliver
        self._cancelled = False
        self._request: Request | None = None
        self.patience_ends = time.monotonic() + _SILENCE_SECONDS
        """When it counts as stuck if it stays silent; of the monotonic clock."""

    @property
    def stuck(self) -> bool:
        """Whether it has been silent for longer than anything that works; only a new process cures that."""
        return time.monotonic() > self.patience_ends

    def cancel(self) -> None:
        """Have it end at its next token; may be called from any thread, and when it is over."""
        self._cancelled = True
        request = self._request
        if request is not None:
            with contextlib.suppress(FoundryLocalException):  # it is over
                request.cancel()

    def run(self) -> None:
        """Answer; the thread's work."""
        try:
            last: Message = Finished(self._answer())
        except RefusalError as refusal:
            last = Failed(refusal)
        except FoundryLocalException as error:
            last = Failed(cancelled() if self._cancelled else _told(error))
        except Exception as error:  # noqa: BLE001 — whoever waits for this thread must hear of its end
            note(f"mistake of ours: {type(error).__name__}")
            last = Failed(runtime_refusal(None))
        self._deliver(last)

    def _answer(self) -> dict[str, Any]:
        with self._runtime.session() as session:
            max_tokens = self._max_tokens or self._room(session)
            with _request({**self._body, "max_tokens": max_tokens}) as self._request:
                self._accept(session.preflight_request(self._request).prompt_tokens, max_tokens)
                with session.set_streaming(True).process_streaming_request(self._request) as stream:
                    for item in stream:
                        if self._cancelled:
                            break
                        self.patience_ends = time.monotonic() + _SILENCE_SECONDS
                        self._deliver(Piece(_text(item)))
                    if self._cancelled:
                        raise cancelled()
                    with stream.final_response as final:
                        completion: dict[str, Any] = json.loads(_text(final.get_item(0)))
                        return completion

    def _room(self, session: ChatSession) -> int:
        """As many tokens as the window has left for the answer, at least 1."""
        with _request({**self._body, "max_tokens": 1}) as request:
            return max(1, self._runtime.context_tokens - int(session.preflight_request(request).prompt_tokens))

    def _accept(self, prompt_tokens: int, max_tokens: int) -> None:
        """Tell that the model begins, or refuse what does not fit."""
        if prompt_tokens + max_tokens > self._runtime.context_tokens:
            raise too_long(prompt_tokens, max_tokens, self._runtime.context_tokens)
        self.patience_ends = time.monotonic() + _SILENCE_SECONDS + _SECONDS_PER_PROMPT_TOKEN * prompt_tokens
        self._deliver(Accepted(prompt_tokens))


def load_model(model_folder: Path, state_folder: Path, execution_providers: Sequence[str] = ()) -> IModel:
    """Load the model in a folder; blocks.

    Args:
        model_folder: with `genai_config.json`.
        state_folder: for the runtime's own files; emptied first.
        execution_providers: what the model was made for besides the processor, as its configuration spells it.

    Raises:
        FoundryLocalException: the runtime cannot use the folder.
        ProviderMissingError: this machine has no such provider.
    """
    manager = _manager(state_folder)
    if execution_providers:
        _register(manager, execution_providers)
    with ModelInfoBuilder() as metadata:
        metadata.set_string_property("task", "chat-completion")
        model = manager.get_catalog(CatalogType.LOCAL).register_model(model_folder, _MODEL_ID, metadata)
    model.load()
    return model


def _register(manager: FoundryLocalManager, wanted: Sequence[str]) -> None:
    """Have the runtime use these providers; untested for want of a GPU or NPU."""
    here = {_plain(each.name): each for each in manager.discover_eps()}
    names = []
    for name in wanted:
        provider = here.get(_plain(name))
        if provider is None:
            raise ProviderMissingError(name)
        if not provider.is_registered:
            names.append(provider.name)
    if names:
        manager.download_and_register_eps(names)


def _plain(provider: str) -> str:
    return provider.lower().removesuffix("executionprovider")


def _manager(folder: Path) -> FoundryLocalManager:
    # A registry that an earlier process left, whole or broken, would only be in the way.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return FoundryLocalManager(
        Configuration(
            app_name="homeward",
            app_data_dir=str(folder),
            model_cache_dir=str(folder / "models"),
            logs_dir=str(folder / "logs"),
            log_level=LogLevel.ERROR,
            disable_nonessential_telemetry=True,
        )
    )


def _request(body: dict[str, Any]) -> Request:
    return Request().add_item(TextItem(json.dumps(body), TextItemType.OPENAI_JSON))


def _text(item: object) -> str:
    assert isinstance(item, TextItem)  # what an OPENAI_JSON request is answered with
    return str(item.text)


def _told(error: FoundryLocalException) -> RefusalError:
    """Write to the log what the runtime said, and give what the caller may know of it."""
    code = getattr(error, "error_code", None)
    note(f"runtime error {code} at {place_in_source(str(error))}")
    return runtime_refusal(code, str(error))
