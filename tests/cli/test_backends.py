"""`homeward backends` as somebody in a terminal uses it, against servers on loopback and a real keyring package."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner, Result

from homeward.app.consents import stored
from homeward.app.instance import only_instance
from homeward.cli.backends import backends
from homeward.cli.main import Sentences
from homeward.observability.audit import AuditNote
from homeward.observability.audit import read as audited
from tests.backends.certificates import certificate
from tests.backends.fake_upstream import FakeUpstream, serving
from tests.backends.memory_keyring import MemoryKeyring

Run = Callable[..., Result]

WORKS = '[clouds.{name}]\nurl = "{url}"\nmodel = "{model}"\n'


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """In a thread: a command has an event loop of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving()) as upstream:
        yield upstream


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command with a configuration; it has to end well, unless told otherwise."""
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "keys.json"))
    monkeypatch.setattr("keyring.core._keyring_backend", MemoryKeyring())  # type: ignore[no-untyped-call]
    main = Sentences(commands={"backends": backends})

    def invoke(*arguments: str, clouds: str = "", exit_code: int = 0, entered: str | None = None) -> Result:
        (tmp_path / "homeward.toml").write_text(clouds, encoding="utf-8")
        result = CliRunner().invoke(main, ["backends", *arguments], input=entered)
        assert result.exit_code == exit_code, result.output + repr(result.exception)
        assert "Traceback" not in result.output
        assert "sk-canary" not in result.output
        return result

    yield invoke
    structlog.reset_defaults()


def test_without_clouds(run: Run) -> None:
    """It is said how to add one."""
    for command in ("list", "test"):
        assert "docs/clouds.md" in run(command).output


def test_list(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each; the key is named by its place."""
    monkeypatch.setenv("HOMEWARD_KEY_A", "sk-canary")
    clouds = WORKS.format(name="a", url="https://a.example", model="m") + "input_price = 1\noutput_price = 2.5\n"
    clouds += WORKS.format(name="b-b", url="https://b.example", model="m")
    head, first, second = run("list", clouds=clouds).output.splitlines()
    assert head.split()[:6] == ["NAME", "PLACE", "KIND", "HOST", "MODEL", "KEY"]
    assert " ".join(first.split()) == "a cloud compatible a.example m variable HOMEWARD_KEY_A 1 / 2.5 USD"
    assert " ".join(second.split()) == "b-b cloud compatible b.example m MISSING unknown"


def test_one_that_works(run: Run, upstream: FakeUpstream) -> None:
    """With the key that was stored by the command before."""
    upstream.wants = "Authorization: Bearer sk-canary-1"
    clouds = WORKS.format(name="work", url=upstream.base_url, model="ok")
    assert "is in the keyring" in run("key", "work", clouds=clouds, entered="sk-canary-1\n").output
    said = run("test", "work", clouds=clouds).output
    assert said.startswith("work: ok at 127.0.0.1 (cloud)\n")
    assert [line.split()[:2] for line in said.splitlines()[1:-1]] == [
        ["ok", step] for step in ("key", "name", "connection", "access", "answer", "stream", "usage")
    ]
    assert "It works" in said
    assert "was removed" in run("key", "work", "--remove", clouds=clouds).output
    assert "no key for the backend 'work'" in run("test", clouds=clouds, exit_code=1).output


def test_one_that_does_not_work(run: Run, upstream: FakeUpstream) -> None:
    """The others are tried as well; the exit status says that not all is well."""
    clouds = "".join(
        WORKS.format(name=name, url=upstream.base_url, model=model) + 'auth = "none"\n'
        for name, model in [("a", "code-404-DeploymentNotFound"), ("b", "ok")]
    )
    said = run("test", clouds=clouds, exit_code=1).output
    assert "failed  answer      The backend 'a' knows no deployment of this name (status 404).\n" in said
    assert "In the settings: Set `model` to the deployment's name" in said
    assert "It works" in said.split("b: ok")[1]
    run("test", "b", clouds=clouds)


def test_names_that_are_not_there(run: Run) -> None:
    """In a sentence, with those that are."""
    clouds = WORKS.format(name="a", url="https://a.example", model="m")
    for command in (("test", "x"), ("key", "x")):
        assert "There are: a." in run(*command, clouds=clouds, exit_code=1, entered="sk-canary").output


def test_names_that_no_cloud_can_have(run: Run) -> None:
    """What is on this device has another command; nobody is told to add what would be refused."""
    for name in ("llama", "ollama", "service"):
        for command in (("test", name), ("key", name)):
            said = run(*command, exit_code=1, entered="sk-canary").output
            assert f"'{name}' is on this device; it is no cloud. `homeward doctor` tells" in said
    for name in ("cloud", "My Cloud"):
        said = run("test", name, exit_code=1).output
        assert "There is none yet." in said
        assert "[clouds." not in said
    assert "Add [clouds.azure] to it." in run("test", "azure", exit_code=1).output


def test_a_keyring_that_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way without one is named."""
    monkeypatch.setenv("KEYRING_LOCKED", "1")
    clouds = WORKS.format(name="a", url="https://a.example", model="m")
    assert (
        "put the key into the variable HOMEWARD_KEY_A."
        in run("key", "a", clouds=clouds, exit_code=1, entered="sk-canary").output
    )
    assert "MISSING" in run("list", clouds=clouds).output


def test_a_certificate_file_of_ones_own(tmp_path: Path) -> None:
    """What `SSL_CERT_FILE` names is trusted, by the test of the connection and by what asks."""
    path, tls = certificate(tmp_path)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(tls=tls)) as upstream:
        clouds = WORKS.format(name="a", url=upstream.base_url, model="ok") + 'auth = "none"\n'
        (tmp_path / "homeward.toml").write_text(clouds)
        program = "from homeward.cli.backends import backends; backends(['test'])"
        environment = {**os.environ, "HOMEWARD_DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-c", program]
        for trusted, status in (({}, 1), ({"SSL_CERT_FILE": str(path)}, 0)):
            done = subprocess.run(command, env={**environment, **trusted}, capture_output=True, text=True, check=False)
            assert done.returncode == status, done.stdout + done.stderr
            assert ("not one that this machine trusts" in done.stdout) == (status == 1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_typed_key_is_not_shown(tmp_path: Path) -> None:
    """In a real terminal the key is asked for, and nothing of it comes back."""
    import pty

    (tmp_path / "homeward.toml").write_text(WORKS.format(name="a", url="https://a.example", model="m"))
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "HOMEWARD_DATA_DIR": str(tmp_path),
        "KEYRING_FILE": str(tmp_path / "keys.json"),
        "PYTHON_KEYRING_BACKEND": "tests.backends.memory_keyring.MemoryKeyring",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    program = "from homeward.cli.backends import backends; backends(['key', 'a'])"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while not shown.rstrip().endswith(b"Key:"):
            shown += os.read(ours, 1024)
        os.write(ours, b"sk-canary-2\n")
        assert process.wait(60) == 0
    with suppress(OSError):  # EIO: the other end is closed
        while more := os.read(ours, 1024):
            shown += more
    os.close(ours)
    assert b"is in the keyring" in shown
    assert b"canary" not in shown
    assert "sk-canary-2" in (tmp_path / "keys.json").read_text()


def test_a_cloud_is_agreed_to_without_a_page(run: Run, upstream: FakeUpstream, tmp_path: Path) -> None:
    """On record, for its host; taken back in the same way; not while somebody else holds the folder."""
    clouds = WORKS.format(name="mine", url=upstream.base_url, model="ok")
    assert "mine (ok at 127.0.0.1;" in run("agree", "mine", clouds=clouds).output
    assert stored(tmp_path / "consents.json")["mine"].host == "127.0.0.1"
    assert run("agree", "mine", "--withdraw", clouds=clouds).output == "Nothing goes to mine any more.\n"
    assert stored(tmp_path / "consents.json") == {}
    notes = [line for line in audited(tmp_path / "audit.jsonl") if isinstance(line, AuditNote)]
    assert [note.details["given"] for note in notes] == [True, False]
    assert "no cloud called 'other'" in run("agree", "other", clouds=clouds, exit_code=1).output
    with only_instance(tmp_path):
        assert "already runs" in run("agree", "mine", clouds=clouds, exit_code=1).output
