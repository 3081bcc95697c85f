"""What is known of each that may answer, for the decision and for clients."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homeward.app.answering import Answering
from homeward.app.model_names import ModelNames
from homeward.backends import Connections
from homeward.backends.refusal import refusal
from homeward.config import load
from homeward.routing import BackendView

CLOUD = '[clouds.far]\nkind = "openai"\nmodel = "gpt"\n'


@pytest.fixture
async def answering(tmp_path: Path) -> AsyncIterator[Answering]:
    path = tmp_path / "homeward.toml"
    path.write_text(CLOUD, encoding="utf-8")
    settings = load({"data_dir": tmp_path / "data"}, config=path, environment={})
    async with Connections() as connections:
        answering = Answering(settings, connections)
        answering.library.refresh()
        yield answering


def view(answering: Answering, name: str, chosen: str | None = None) -> BackendView:
    """How the decision sees a backend."""
    return next(each for each in answering.snapshot(chosen, "phi").backends if each.name == name)


async def test_only_those_are_blind_who_certainly_are(answering: Answering) -> None:
    """Our engines run models of text; of what a service or a cloud has, it is the best judge."""
    assert {name: view(answering, name, name).sees_images for name in ("llama", "foundry", "ollama", "far")} == {
        "llama": False,
        "foundry": False,
        "ollama": True,
        "far": True,
    }


async def test_clients_hear_the_same(answering: Answering) -> None:
    """Open WebUI offers images by it."""
    for listed in ModelNames(answering).models():
        assert listed.sees_images == view(answering, listed.backend, listed.backend).sees_images


async def test_a_cloud_that_says_that_it_is_busy_is_known_as_busy(answering: Answering) -> None:
    """One that rests for another reason is not."""
    for status, busy in ((429, True), (401, False)):
        health = answering.clouds["far"].health = type(answering.clouds["far"].health)()
        permit = await health.permit()
        assert permit is not None
        permit.failed(refusal(status, {}, b"", source="It", answer_tokens=None))
        assert view(answering, "far").state == "resting"
        assert view(answering, "far").busy == busy
