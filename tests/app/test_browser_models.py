"""Models that pages are offered: fetched from an address on the user's command, checked, listed, removed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from homeward.app.browser_models import browser_models, check, fetch, name_of, remove
from homeward.config import Settings
from homeward.models.errors import ModelError
from homeward.protocol.errors import BackendError, BackendStatusError, BackendUnreachableError, HomewardError

MODEL = (Path(__file__).parents[2] / "web/models/digits.onnx").read_bytes()


async def answer(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/mnist-12.onnx":
            return web.Response(body=MODEL, content_type="application/octet-stream")
        case "/moved/mnist-12.onnx":
            raise web.HTTPFound("/mnist-12.onnx")
        case "/half.onnx":
            return web.Response(body=MODEL[: len(MODEL) // 2])
        case "/page.onnx":
            return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")
        case "/cut.onnx":
            response = web.StreamResponse(headers={"content-length": str(len(MODEL))})
            await response.prepare(request)
            await response.write(MODEL[:1000])
            assert request.transport is not None
            request.transport.abort()
            return response
        case "/vast.onnx":
            response = web.StreamResponse(headers={"content-length": "600000000"})
            await response.prepare(request)
            await response.write(MODEL)
            return response
        case _:
            raise web.HTTPNotFound


@pytest.fixture
async def host() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def nothing(_: str, __: float) -> None:
    pass


@pytest.mark.parametrize("path", ["/mnist-12.onnx", "/moved/mnist-12.onnx", "/mnist-12.onnx?download=true"])
async def test_a_model_is_fetched_listed_and_removed(host: str, settings: Settings, path: str) -> None:
    told: list[float] = []
    before = browser_models(settings)
    assert "mnist-12.onnx" not in before  # the starter alone
    assert await fetch(settings, host + path, lambda _, part: told.append(part)) == "mnist-12.onnx"
    assert browser_models(settings)["mnist-12.onnx"].read_bytes() == MODEL
    assert told[-1] == 1
    remove(settings, "mnist-12.onnx")
    assert browser_models(settings) == before


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/none.onnx", BackendStatusError, "status 404"),
        ("/half.onnx", ModelError, "no sound ONNX file"),
        ("/page.onnx", ModelError, "no sound ONNX file"),
        ("/cut.onnx", BackendError, "broke"),
        ("/vast.onnx", ModelError, "larger"),
    ],
)
async def test_what_is_no_model_leaves_nothing_behind(
    host: str, settings: Settings, path: str, kind: type[HomewardError], said: str
) -> None:
    with pytest.raises(kind, match=said) as raised:
        await fetch(settings, host + path, nothing)
    assert raised.value.next_step
    assert list((settings.data_dir / "browser").iterdir()) == []


async def test_an_earlier_one_stays_where_a_new_one_fails(host: str, settings: Settings) -> None:
    await fetch(settings, f"{host}/mnist-12.onnx", nothing)
    (settings.data_dir / "browser/mnist-12.onnx").rename(settings.data_dir / "browser/half.onnx")
    with pytest.raises(ModelError):
        await fetch(settings, f"{host}/half.onnx", nothing)
    assert browser_models(settings)["half.onnx"].read_bytes() == MODEL


async def test_nobody_there(settings: Settings) -> None:
    with pytest.raises(BackendUnreachableError, match="could not be reached"):
        await fetch(settings, "http://127.0.0.1:9/mnist-12.onnx", nothing)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/mnist-12.onnx",
        "ftp://example.com/mnist-12.onnx",
        "file:///etc/mnist-12.onnx",
        "mnist-12.onnx",
        "https://example.com/mnist-12.gguf",
        "https://example.com/",
        "https://example.com/.onnx",
        "https:///mnist.onnx",
        "https://example.com/a%5cb.onnx",
    ],
)
def test_addresses_that_are_not_fetched(address: str) -> None:
    with pytest.raises(ModelError):
        name_of(address)


def test_a_name_never_leads_out_of_the_folder() -> None:
    assert name_of("https://example.com/a/..%2f..%2fmodel.onnx?x=/y.onnx#z") == "model.onnx"


def test_nothing_else_is_removed(settings: Settings) -> None:
    outside = settings.data_dir / "history.onnx"
    outside.parent.mkdir()
    outside.write_bytes(b"")
    with pytest.raises(ModelError, match=r"There is no \.\./history\.onnx"):
        remove(settings, "../history.onnx")
    assert outside.exists()


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    """A page loads one file."""
    import onnx
    from onnx import TensorProto, external_data_helper, helper

    weights = helper.make_tensor("w", TensorProto.FLOAT, [600], bytes(2400), raw=True)
    graph = helper.make_graph([], "g", [], [helper.make_tensor_value_info("w", TensorProto.FLOAT, [600])], [weights])
    model = helper.make_model(graph)
    external_data_helper.convert_model_to_external_data(model, location="weights.bin")
    onnx.save_model(model, str(tmp_path / "model.onnx"))
    with pytest.raises(ModelError, match=r"weights\.bin"):
        check(tmp_path / "model.onnx", "model.onnx")
