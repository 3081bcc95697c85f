"""The working parts of a Homeward without its page: real engines, and a catalogue on loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import msgspec
import pytest

from homeward.app.answering import Answering
from homeward.app.completing import completing
from homeward.app.managing import Managing, catalogue_of
from homeward.backends import Connections
from homeward.completion import Answer, Completer, Said
from homeward.config import Settings, load
from homeward.protocol.chat import ChatRequest, Message, Sampling
from tests.engines.toys import MakeToy, toy
from tests.foundry_catalogue import CatalogueModel, FoundryCatalogue, serving

__all__ = ["toy"]

FEW = Sampling(max_tokens=5, temperature=0)


class Home(msgspec.Struct):
    """A Homeward's parts."""

    settings: Settings
    answering: Answering
    managing: Managing
    completer: Completer

    async def ask(self, text: str = "Hi") -> tuple[str, Answer]:
        """The text of an answer, and the answer."""
        answer = await self.completer.complete(ChatRequest(messages=(Message("user", text),), sampling=FEW))
        pieces = [event.text async for event in answer.events() if isinstance(event, Said)]
        return "".join(pieces), answer


@asynccontextmanager
async def home_of(settings: Settings) -> AsyncIterator[Home]:
    """The parts of these settings, ended at the end."""
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(Connections())
        answering = Answering(settings, connections)
        stack.push_async_callback(answering.pool.close)
        answering.library.refresh()
        engine, catalogue = catalogue_of(settings)
        stack.push_async_callback(engine.close)
        managing = Managing(answering, catalogue)
        stack.push_async_callback(managing.close)
        completer = await stack.enter_async_context(completing(settings, answering))
        yield Home(settings, answering, managing, completer)


MakeSettings = Callable[..., Settings]


@pytest.fixture
def settings_of(tmp_path: Path) -> MakeSettings:
    """Settings with a data folder of their own and these variables (`HOMEWARD_` before those in capitals)."""

    def make(**variables: object) -> Settings:
        environment = {name: str(value) for name, value in variables.items()}
        return load({"data_dir": tmp_path / "data"}, environment={"HOMEWARD_LLAMA_THREADS": "1", **environment})

    return make


@pytest.fixture
async def catalogue(toy: MakeToy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FoundryCatalogue]:
    """A catalogue with a toy model and 6 MiB beside it, whose certificate the children trust."""
    folder = tmp_path / "offered"
    folder.mkdir()
    for path in toy().iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "notes.bin").write_bytes(Random(0).randbytes(6 << 20))
    async with serving(CatalogueModel(folder=folder)) as served:
        monkeypatch.setenv("SSL_CERT_FILE", str(served.certificate))
        yield served


@pytest.fixture
async def home(catalogue: FoundryCatalogue, settings_of: MakeSettings) -> AsyncIterator[Home]:
    """A Homeward that looks at this catalogue."""
    region = catalogue.configuration()["catalog_region"]
    settings = settings_of(HOMEWARD_FOUNDRY_CATALOG_URL=catalogue.url, HOMEWARD_FOUNDRY_CATALOG_REGION=region)
    async with home_of(settings) as home:
        yield home
