"""The list of models: shared between processes, never lost, never half written."""

import json
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock

from homeward.models.errors import ModelError, ShelfError
from homeward.models.model import FileRecord, Model
from homeward.models.shelf import FILE, LOCK, Contents, Shelf

# Adds models with the names that follow, and says each one that it was told is stored.
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from homeward.models.model import FileRecord, Model
from homeward.models.shelf import Shelf

shelf = Shelf(Path(sys.argv[1]))
manifest = tuple(FileRecord(path=f"file-{n}", size=n, sha256="0" * 64) for n in range(50))
for n in range(int(sys.argv[3])):
    name = f"{sys.argv[2]}-{n}"
    shelf.add(Model(name=name, engine="llama", source="own", path=Path(f"/{name}.gguf"), size_bytes=1,
                    context_tokens=None, added_at=datetime.now(UTC), manifest=manifest))
    print(name, flush=True)
"""

# Says the error of one change, after the line that stands for {limit} has taken its effect.
LIMITED = """
import os, sys
from pathlib import Path
from homeward.models.errors import ShelfError
from homeward.models.shelf import Shelf
os.chdir(sys.argv[1])
{limit}
try:
    Shelf(Path()).use("b" * 10_000)
except ShelfError as error:
    print(error)
"""
FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
"""
KILLED_IN_A_WRITE = FULL_DISK.replace("SIG_IGN", "SIG_DFL")
READ_ONLY = """
os.chmod(".", 0o555)
if os.geteuid() == 0:
    os.setuid(65534)
"""


def a_model(name: str = "tiny", path: str = "/models/tiny.gguf") -> Model:
    return Model(
        name=name,
        engine="llama",
        source="own",
        path=Path(path),
        size_bytes=7,
        context_tokens=2048,
        added_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def start_writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def run_limited(folder: Path, limit: str) -> subprocess.CompletedProcess[str]:
    script = LIMITED.replace("{limit}", limit)
    return subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)


def test_an_empty_shelf_leaves_no_trace(tmp_path: Path) -> None:
    """Reading makes no file and no folder."""
    shelf = Shelf(tmp_path / "data")
    assert shelf.read() == Contents()
    assert shelf.version() == ""
    assert list(tmp_path.iterdir()) == []


def test_what_was_added_is_there(tmp_path: Path) -> None:
    """With all that is known of it, in the order of adding, also for another process."""
    full = msgspec.structs.replace(
        a_model("phi-4-mini", "/models/phi"),
        engine="foundry",
        source="catalogue",
        context_tokens=None,
        license="MIT",
        device="npu",
        alias="phi-4-mini",
        variant="Phi-4-mini-instruct-qnn-npu:5",
        task="coding",
        calls_tools=True,
        manifest=(FileRecord(path="a/모델.onnx", size=3, sha256="00"),),
    )
    Shelf(tmp_path).add(a_model())
    Shelf(tmp_path).add(full)
    assert Shelf(tmp_path).read().models == (a_model(), full)


def test_a_name_is_taken_once(shelf: Shelf) -> None:
    """Whatever the case of its letters; the error says both ways out."""
    shelf.add(a_model("Tiny"))
    with pytest.raises(ModelError, match="already a model called Tiny") as caught:
        shelf.add(a_model("tiny", "/models/other.gguf"))
    assert "another name" in caught.value.next_step
    assert "remove" in caught.value.next_step
    assert len(shelf.read().models) == 1


def test_a_model_is_there_once(shelf: Shelf, tmp_path: Path) -> None:
    """A link to it is the same model; the error says its name."""
    file, link = tmp_path / "model.gguf", tmp_path / "link.gguf"
    file.touch()
    link.symlink_to(file)
    shelf.add(a_model("one", str(file)))
    with pytest.raises(ModelError, match="there already, as one"):
        shelf.add(a_model("two", str(link)))


@pytest.mark.parametrize("name", ["", "-o", "a b", "a/b", "a\nb", "x" * 101, "…"])
def test_a_name_that_cannot_be_typed_is_refused(shelf: Shelf, name: str) -> None:
    """The sentence says what a name is made of."""
    with pytest.raises(ModelError, match="letters, digits"):
        shelf.add(a_model(name))


@pytest.mark.parametrize("name", ["SmolLM2-135M-Instruct.Q4_1", "phi-4-mini:5", "모델", "c++"])
def test_usual_names_are_fine(shelf: Shelf, name: str) -> None:
    """Letters of all languages among them."""
    shelf.add(a_model(name))
    assert shelf.read().find(name.upper()) == a_model(name)


def test_a_removed_model_is_gone(shelf: Shelf) -> None:
    """And no longer in use, however it was named; other choices stay."""
    shelf.add(a_model("one", "/1"))
    shelf.add(a_model("two", "/2"))
    for chosen in ("Two", "llama/two"):
        shelf.use(chosen)
        assert shelf.read().in_use == chosen
    assert shelf.remove("TWO") == a_model("two", "/2")
    assert (shelf.read().models, shelf.read().in_use) == ((a_model("one", "/1"),), None)
    shelf.use("ollama/qwen3")
    shelf.remove("one")
    assert shelf.read().in_use == "ollama/qwen3"
    shelf.use(None)
    assert shelf.read().in_use is None


def test_put_replaces_in_place(shelf: Shelf) -> None:
    """What was removed in the meantime does not come back."""
    for name in ("one", "two"):
        shelf.add(a_model(name, f"/{name}"))
    new = msgspec.structs.replace(a_model("one", "/one"), license="MIT")
    shelf.put(new)
    assert shelf.read().models == (new, a_model("two", "/two"))
    shelf.remove("one")
    with pytest.raises(ModelError, match="no model called one"):
        shelf.put(new)


def test_an_unknown_name_is_answered_with_the_known_ones(shelf: Shelf) -> None:
    """Or with what to do where there are none."""
    with pytest.raises(ModelError, match="no model called x") as caught:
        shelf.remove("x")
    assert caught.value.next_step == "Add one first."
    shelf.add(a_model("tiny"))
    with pytest.raises(ModelError) as caught:
        shelf.remove("x")
    assert caught.value.next_step == "There are: tiny."


def test_the_version_tells_of_every_change(shelf: Shelf) -> None:
    """Of those alone: reading leaves it."""
    shelf.add(a_model())
    seen = [shelf.version()]
    for chosen in ("a", "b", None):
        shelf.use(chosen)
        assert shelf.read().version == shelf.version()
        assert shelf.version() not in seen
        seen.append(shelf.version())


WHOLE = b'{"version": 1, "in_use": null, "models": []}'
BROKEN = [
    b"",
    bytes(64),
    b"not JSON",
    b"[]",
    b"{}",
    b'{"version": "1"}',
    b'{"version": 0}',
    b'{"version": 1, "models": 7}',
    b'{"version": 1, "models": [{"name": "x"}]}',
    b'{"version": 1, "in_use": "\xff"}',
    b'{"version": 1, "models": ' + b"[" * 100_000,
]


@pytest.mark.parametrize("content", [*(WHOLE[:length] for length in range(len(WHOLE))), *BROKEN])
def test_a_broken_list_is_kept_beside_and_told_of(shelf: Shelf, tmp_path: Path, content: bytes) -> None:
    """The shelf goes on empty; every reader learns of it until somebody has taken the file away."""
    (tmp_path / FILE).write_bytes(content)
    contents = shelf.read()
    (kept,) = contents.set_aside
    assert kept.read_bytes() == content
    shelf.add(a_model())
    assert (shelf.read().models, shelf.read().set_aside) == ((a_model(),), (kept,))


def test_no_broken_list_takes_the_place_of_another(shelf: Shelf, tmp_path: Path) -> None:
    """Also if a change comes upon it, not a look."""
    for number in range(3):
        (tmp_path / FILE).write_text(f"broken {number}")
        shelf.use("x")
    kept = shelf.read().set_aside
    assert sorted(path.read_text() for path in kept) == ["broken 0", "broken 1", "broken 2"]


def test_a_list_of_a_newer_homeward_is_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    """Whatever it holds, for this one cannot know."""
    content = b'{"version": 2, "models": {"new": "format"}}'
    (tmp_path / FILE).write_bytes(content)
    for change in (shelf.read, lambda: shelf.add(a_model()), lambda: shelf.use("x")):
        with pytest.raises(ShelfError, match="newer Homeward"):
            change()
    assert (tmp_path / FILE).read_bytes() == content


def test_a_list_is_readable_for_people(shelf: Shelf, tmp_path: Path) -> None:
    """One field per line."""
    shelf.add(a_model())
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert '\n   "name": "tiny",\n' in text
    assert json.loads(text)["models"][0]["path"] == "/models/tiny.gguf"


def test_whoever_is_locked_out_is_told(tmp_path: Path) -> None:
    """After some patience."""
    (tmp_path / FILE).write_bytes(WHOLE)
    with FileLock(tmp_path / LOCK), pytest.raises(ShelfError, match="Another program holds"):
        Shelf(tmp_path, patience_seconds=0.01).read()


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    """With the system's reason."""
    (tmp_path / "file").touch()
    with pytest.raises(ShelfError, match="cannot be used"):
        Shelf(tmp_path / "file").add(a_model())


@pytest.mark.skipif(os.name == "nt", reason="the limits are POSIX's")
@pytest.mark.parametrize(
    ("limit", "words"), [(FULL_DISK, "File too large"), (READ_ONLY, "Permission denied")], ids=["full", "read-only"]
)
def test_where_nothing_can_be_written_the_old_list_stays(shelf: Shelf, tmp_path: Path, limit: str, words: str) -> None:
    """A full disk, or a folder of somebody else's: an error with a next step, and nothing left behind."""
    shelf.add(a_model())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run_limited(tmp_path, limit)
    tmp_path.chmod(0o700)
    assert words in done.stdout, done.stderr
    assert "Check that the disk has room" in done.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_processes_that_write_at_once_lose_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """Each adds its models; all are there in the end."""
    writers = [start_writer(tmp_path, name, 25) for name in ("a", "b", "c")]
    told = [writer.communicate()[0].split() for writer in writers]
    assert [len(names) for names in told] == [25, 25, 25]
    assert sorted(model.name for model in shelf.read().models) == sorted(name for names in told for name in names)
    assert shelf.read().set_aside == ()


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is POSIX's")
def test_a_writer_killed_in_the_middle_of_a_write_loses_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """The list is as before, and the next change is none the worse for what was left behind."""
    shelf.add(a_model())
    done = run_limited(tmp_path, KILLED_IN_A_WRITE)
    assert -done.returncode == signal.SIGXFSZ, done.stderr
    assert (tmp_path / f"{FILE}.new").stat().st_size == 1000
    assert shelf.read() == Contents(models=(a_model(),), version=shelf.version())
    shelf.use("tiny")
    assert shelf.read().in_use == "tiny"
    assert {path.name for path in tmp_path.iterdir()} == {FILE, LOCK}


def test_a_writer_killed_at_any_time_loses_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """What it was told is stored is there, at most one more, and the list is sound."""
    chance, told = random.Random(8), list[str]()
    for number in range(8):
        with start_writer(tmp_path, str(number), 1000) as writer:
            assert writer.stdout is not None
            told += [writer.stdout.readline().strip() for _ in range(chance.randint(1, 6))]
            writer.kill()
            told += writer.stdout.read().split()
        names = [model.name for model in shelf.read().models]
        assert shelf.read().set_aside == ()
        assert set(told) <= set(names)
        assert len(names) <= len(told) + number + 1
