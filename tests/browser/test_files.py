"""How the pages are served."""

import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from homeward.browser.files import HEADERS, browser_app

SCRIPT, MODEL, PAGE = b"console.log(1)\n" * 50, bytes(range(256)), b"<!doctype html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "chat").mkdir()
    (built / "index.html").write_bytes(PAGE)
    (built / "chat/index.html").write_bytes(b"chat")
    (built / "assets/page-4fa1.js").write_bytes(SCRIPT)
    (built / "assets/page-4fa1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "assets/page-4fa1.js.br").write_bytes(b"brotli")
    (built / "assets/digits-1.onnx").write_bytes(MODEL)
    (built / "assets/engine-2.wasm").write_bytes(b"\0asm")
    (built / "notes.secret").write_bytes(b"of no type that a page needs")
    (tmp_path / "outside.json").write_text("{}", encoding="utf-8")
    return built


@pytest.fixture
def client(folder: Path) -> TestClient:
    (folder.parent / "starter.gguf").write_bytes(MODEL)
    app = browser_app(folder, lambda: {path.name: path for path in folder.parent.glob("*.gguf")})
    return TestClient(Starlette(routes=[Mount("/browser", app=app)]))


@pytest.mark.parametrize(
    ("address", "media_type"),
    [
        ("/browser/", "text/html; charset=utf-8"),
        ("/browser/index.html", "text/html; charset=utf-8"),
        ("/browser/chat/", "text/html; charset=utf-8"),
        ("/browser/assets/page-4fa1.js", "text/javascript; charset=utf-8"),
        ("/browser/assets/engine-2.wasm", "application/wasm"),
        ("/browser/assets/digits-1.onnx", "application/octet-stream"),
    ],
)
def test_every_file_has_its_type_and_all_headers(client: TestClient, address: str, media_type: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert dict(HEADERS).items() <= dict(answer.headers).items()


def test_hashed_files_are_kept_and_pages_asked_for_anew(client: TestClient) -> None:
    assert client.get("/browser/assets/digits-1.onnx").headers["cache-control"] == "public, max-age=31536000, immutable"
    page = client.get("/browser/")
    assert page.headers["cache-control"] == "no-cache"
    again = client.get("/browser/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", page.headers["etag"])
    assert client.get("/browser/", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR; q=1.0", "br"),
        ("identity", None),
        ("", None),
    ],
)
def test_what_is_compressed_beside_a_file_is_sent_instead(
    client: TestClient, folder: Path, accepted: str, encoding: str | None
) -> None:
    with client.stream("GET", "/browser/assets/page-4fa1.js", headers={"accept-encoding": accepted}) as answer:
        content = b"".join(answer.iter_raw())
    ends = {"br": ".br", "gzip": ".gz", None: ""}
    assert content == (folder / f"assets/page-4fa1.js{ends[encoding]}").read_bytes()
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_each_form_of_a_file_has_a_tag_of_its_own(client: TestClient) -> None:
    tags = {
        client.head("/browser/assets/page-4fa1.js", headers={"accept-encoding": accepted}).headers["etag"]
        for accepted in ("br", "gzip", "")
    }
    assert len(tags) == 3


def test_a_part_of_a_model(client: TestClient) -> None:
    whole = client.head("/browser/assets/digits-1.onnx")
    assert (whole.headers["content-length"], whole.headers["accept-ranges"], whole.content) == ("256", "bytes", b"")
    part = client.get("/browser/assets/digits-1.onnx", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, MODEL[10:20])
    assert part.headers["content-range"] == "bytes 10-19/256"
    assert part.headers["cross-origin-resource-policy"] == "same-origin"
    assert client.get("/browser/assets/digits-1.onnx", headers={"range": "bytes=256-"}).status_code == 416


def test_a_model_that_lies_elsewhere(client: TestClient) -> None:
    part = client.get("/browser/models/starter.gguf", headers={"range": "bytes=250-"})
    assert (part.status_code, part.content) == (206, MODEL[250:])
    assert part.headers["content-type"] == "application/octet-stream"
    assert part.headers["cache-control"] == "no-cache"
    assert dict(HEADERS).items() <= dict(part.headers).items()


def test_models_are_listed_as_they_come_and_go(client: TestClient, folder: Path) -> None:
    assert client.get("/browser/models/list.json").json() == [{"file": "starter.gguf", "bytes": 256}]
    (folder.parent / "starter.gguf").unlink()
    assert client.get("/browser/models/list.json").json() == []
    assert client.get("/browser/models/starter.gguf").status_code == 404


@pytest.mark.parametrize("name", ["../outside.json", "..%2foutside.json", "other.gguf", ""])
def test_only_a_listed_model_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/browser/models/{name}").status_code == 404


def test_a_folder_is_shown_at_its_own_address(client: TestClient) -> None:
    """Else its files would be looked for beside it."""
    answer = client.get("/browser/chat", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "chat/")
    assert client.get("/browser/chat").content == b"chat"


def test_a_part_is_never_compressed(client: TestClient) -> None:
    headers = {"range": "bytes=0-6", "accept-encoding": "br, gzip"}
    part = client.get("/browser/assets/page-4fa1.js", headers=headers)
    assert (part.content, "content-encoding" in part.headers) == (SCRIPT[:7], False)


@pytest.mark.parametrize(
    "address",
    [
        "/browser/none.html",
        "/browser/assets/",
        "/browser/assets",
        "/browser/notes.secret",
        "/browser/../outside.json",
        "/browser/..%2foutside.json",
        "/browser/%2e%2e/outside.json",
        "/browser/assets/..%5c..%5coutside.json",
        "/browser//etc/passwd",
        "/browser/assets/page-4fa1.js.br",
        "/browser/index.html%00",
    ],
)
def test_nothing_else_is_served(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert b"{}" not in answer.content


def test_a_link_out_of_the_folder_is_not_followed(folder: Path) -> None:
    try:
        (folder / "link.json").symlink_to(folder.parent / "outside.json")
    except OSError:
        pytest.skip("links need a privilege here")
    assert TestClient(browser_app(folder, dict)).get("/link.json").status_code == 404


def test_a_file_that_vanished_and_a_folder_that_never_was(folder: Path) -> None:
    client = TestClient(browser_app(folder, dict))
    (folder / "index.html").unlink()
    assert client.get("/").status_code == 404
    assert TestClient(browser_app(folder / "none", dict)).get("/").status_code == 404


def test_nothing_can_be_sent(client: TestClient) -> None:
    answer = client.post("/browser/", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
