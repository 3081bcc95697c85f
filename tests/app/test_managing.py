"""Models managed: looked up, downloaded, checked, repaired, used, removed; with the real runtime."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from homeward.manage.state import ModelView
from homeward.models.downloads import Progress
from homeward.models.errors import CatalogueError, ModelError
from homeward.protocol.errors import HomewardError
from tests.app.conftest import Home, MakeSettings, home_of
from tests.engines.toys import MakeToy
from tests.foundry_catalogue import Fault, FoundryCatalogue

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

VARIANT = "toy-generic-cpu:1"


async def download(home: Home, until: Callable[[Progress], bool]) -> Progress:
    """What the download tells when it has come so far."""
    while True:
        (progress,) = home.managing.state().downloads
        if until(progress):
            return progress
        assert not ended(progress), progress
        await asyncio.sleep(0.02)


def ended(progress: Progress) -> bool:
    return progress.state in ("done", "failed", "cancelled")


def view(home: Home, name: str) -> ModelView:
    return next(model for model in home.managing.state().models if model.name == name)


async def checked(home: Home, name: str) -> ModelView:
    """The model, once its files have been checked."""
    while view(home, name).check in ("never", "checking"):  # noqa: ASYNC110 - the page polls too
        await asyncio.sleep(0.02)
    return view(home, name)


async def test_from_the_catalogue_to_an_answer(home: Home, catalogue: FoundryCatalogue) -> None:
    """Seen, downloaded, verified, offered, chosen, loaded, and it answers; the receipt says so."""
    (offer,) = (await home.managing.catalogue()).offers
    assert (offer.variant, offer.alias, offer.license, offer.device) == (VARIANT, "toy", "MIT", "cpu")
    assert offer.fits
    assert home.managing.state().downloads == ()
    await home.managing.download("toy")
    done = await download(home, ended)
    assert (done.state, done.name, done.problem) == ("done", "toy", "")
    assert home.managing.state().ready_to_switch == "toy"
    model = view(home, "toy")
    assert (model.check, model.source, model.license, model.in_use) == ("whole", "catalogue", "MIT", False)
    await home.managing.use("toy")
    assert home.managing.state().ready_to_switch == ""
    text, answer = await home.ask()
    assert text == "abcde"
    assert (answer.receipt.backend, answer.receipt.model, answer.receipt.outcome) == ("foundry", "toy", "complete")
    state = home.managing.state()
    assert state.in_use is not None
    assert (state.in_use.state, view(home, "toy").state) == ("ready", "ready")
    assert state.in_use.memory_bytes > 0


async def test_the_choice_is_kept(settings_of: MakeSettings, toy: MakeToy) -> None:
    """The next Homeward on the same folder answers with it at once, without asking any catalogue."""
    async with home_of(settings_of()) as home:
        name = await home.managing.add(str(toy()))
        await home.managing.use(name)
    async with home_of(home.settings) as again:
        text, answer = await again.ask()
    assert (text, answer.receipt.model) == ("abcde", name)


@pytest.mark.parametrize("fault", ["corrupt", "zeros"])
async def test_what_arrives_damaged_is_fetched_once_more(home: Home, catalogue: FoundryCatalogue, fault: str) -> None:
    """The runtime would take it for whole."""
    catalogue.faults.append(Fault(name=fault, from_byte=200, times=1))  # type: ignore[arg-type]
    await home.managing.download(VARIANT)
    done = await download(home, ended)
    assert (done.state, done.repaired) == ("done", True)
    assert len(catalogue.asked_for("bytes", "model.onnx")) == 2
    assert view(home, "toy").check == "whole"


async def test_what_stays_damaged_is_not_used(home: Home, catalogue: FoundryCatalogue) -> None:
    """After the second time it is said, and nothing is on the shelf."""
    catalogue.faults.append(Fault(name="corrupt", from_byte=200))
    await home.managing.download(VARIANT)
    failed = await download(home, ended)
    assert failed.state == "failed"
    assert "not whole" in failed.problem or "damaged" in failed.problem
    assert home.answering.library.find("toy") is None


async def test_a_cancelled_download_goes_on(home: Home, catalogue: FoundryCatalogue) -> None:
    """Speed and time left are told meanwhile; what had arrived is not asked for again."""
    catalogue.bytes_per_second = 100_000  # the largest file comes in parts of 20 s each
    await home.managing.download(VARIANT)
    small_files = 5_000
    going = await download(
        home, lambda progress: progress.arrived_bytes > small_files and progress.seconds_left is not None
    )
    assert going.bytes_per_second
    await home.managing.cancel(VARIANT)
    assert (await download(home, ended)).state == "cancelled"
    catalogue.bytes_per_second = None
    catalogue.requests.clear()
    await home.managing.download(VARIANT)
    assert (await download(home, ended)).state == "done"
    assert catalogue.asked_for("bytes", "genai_config.json") == []
    await home.managing.dismiss(VARIANT)
    assert home.managing.state().downloads == ()


async def test_a_storage_that_refuses(home: Home, catalogue: FoundryCatalogue) -> None:
    """Said with what to do; trying again goes well once the storage does."""
    catalogue.faults.append(Fault(name="status", part="registry", status=403))
    await home.managing.download(VARIANT)
    failed = await download(home, ended)
    assert failed.state == "failed"
    assert "could not be reached, or refused" in failed.problem
    catalogue.faults.clear()
    await home.managing.download(VARIANT)
    assert (await download(home, ended)).state == "done"


async def test_a_catalogue_that_is_away(home: Home, catalogue: FoundryCatalogue) -> None:
    """An empty list with its reason, and no download; nothing hangs."""
    catalogue.faults.append(Fault(name="status", part="catalogue", status=404))
    seen = await home.managing.catalogue()
    assert seen.offers == ()
    assert "could not be reached" in seen.sentence
    with pytest.raises(ModelError, match="check the network"):
        await home.managing.download("phi-4-mini")


async def test_repair_and_removal(home: Home, catalogue: FoundryCatalogue) -> None:
    """A file that changed is found, fetched anew, and in the end deleted with the rest."""
    await home.managing.download(VARIANT)
    await download(home, ended)
    path = Path(view(home, "toy").path)
    content = bytearray((path / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "model.onnx").write_bytes(content)
    await home.managing.verify("toy")
    damaged = await checked(home, "toy")
    assert damaged.check == "damaged"
    assert any("model.onnx" in problem for problem in damaged.problems)
    await home.managing.repair("toy")
    assert (await download(home, ended)).state == "done"
    await home.managing.verify("toy")
    assert (await checked(home, "toy")).check == "whole"
    await home.managing.remove("toy", delete_files=True)
    assert not path.exists()  # noqa: ASYNC240 - one look
    assert home.answering.library.find("toy") is None


async def test_a_folder_of_the_users_stays_where_it_is(home: Home, toy: MakeToy) -> None:
    """Added by a path as people type it, checked on its own, removed from the list only."""
    name = await home.managing.add(f' "{toy()}" ')
    assert (await checked(home, name)).check == "whole"
    with pytest.raises(ModelError, match="there already"):
        await home.managing.add(str(toy()))
    await home.managing.remove(name, delete_files=True)
    assert (toy() / "model.onnx").exists()
    with pytest.raises(ModelError, match="starter"):
        await home.managing.remove("starter", delete_files=False)


async def test_what_is_no_model(home: Home, tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "letter.txt").write_text("Dear…")
    for path in (letters / "letter.txt", letters / "nothing", letters):
        with pytest.raises(HomewardError) as caught:
            await home.managing.add(str(path))
        assert caught.value.next_step


async def test_removing_the_model_in_use_gives_its_memory_back(home: Home, toy: MakeToy) -> None:
    """The starter answers again."""
    name = await home.managing.add(str(toy()))
    await home.managing.use(name)
    await home.ask()
    assert name in home.answering.pool.residents()
    await home.managing.remove(name, delete_files=False)
    assert name not in home.answering.pool.residents()
    _, answer = await home.ask()
    assert answer.receipt.backend == "llama"


async def test_a_model_whose_folder_is_gone(home: Home, toy: MakeToy, tmp_path: Path) -> None:
    """The question fails with a sentence that says what to do, and comes back with the folder."""
    folder = tmp_path / "mine"
    (tmp_path / "kept").mkdir()
    for path in toy().iterdir():
        (tmp_path / "kept" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "kept").rename(folder)
    await home.managing.add(str(folder))
    await home.managing.use("mine")
    await home.answering.pool.forget("mine")
    folder.rename(tmp_path / "kept")
    _, answer = await home.ask()
    assert answer.error is not None
    assert "mine" in str(answer.error)
    (tmp_path / "kept").rename(folder)
    assert (await home.ask())[0] == "abcde"


async def test_a_killed_engine_loses_no_question(home: Home, toy: MakeToy) -> None:
    """It falls between two questions, before anything notices: the second one is answered all the same."""
    name = await home.managing.add(str(toy()))
    await home.managing.use(name)
    await home.ask()
    pid = home.answering.pool.engine(name).status.pid
    assert pid is not None
    os.kill(pid, 9)
    text, answer = await home.ask()
    assert text == "abcde"
    assert answer.receipt.outcome == "complete"


async def test_devices(home: Home) -> None:
    """A machine without GPU and NPU has none, and that is no error."""
    assert home.managing.state().machine.providers is None
    await home.managing.look_at_devices()
    assert home.managing.state().machine.providers == ()


async def test_foundry_switched_off(settings_of: MakeSettings) -> None:
    """The starter answers; the rest says why not."""
    async with home_of(settings_of(HOMEWARD_FOUNDRY_ENABLED="false")) as home:
        assert (await home.ask())[1].receipt.outcome == "complete"
        assert "switched off" in (await home.managing.catalogue()).sentence
        with pytest.raises(ModelError, match="switched off"):
            await home.managing.download("toy")
        foundry = next(engine for engine in home.managing.state().machine.engines if engine.name == "foundry")
        assert not foundry.available


async def test_the_catalogues_process_can_fall(home: Home) -> None:
    """In the middle of nothing: the next look starts another."""
    await home.managing.catalogue()
    engine = home.managing._catalogue._engine
    pid = engine.status.pid
    assert pid is not None
    os.kill(pid, 9)
    with contextlib.suppress(CatalogueError):  # it was asked before its fall was noticed
        await home.managing.catalogue()
    assert [offer.variant for offer in (await home.managing.catalogue()).offers] == [VARIANT]
