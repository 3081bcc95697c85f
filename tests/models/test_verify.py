"""Whole models, and models with every fault that downloads and disks give them."""

import hashlib
import json
import os
import random
import shutil
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import msgspec
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper
from tools.make_toy_onnx import write_model

from homeward.engines.starter import starter_model_path
from homeward.models.errors import DamagedModelError, VerificationCancelledError
from homeward.models.inspect import inspect
from homeward.models.model import FileRecord, Model
from homeward.models.verify import make_manifest, verify
from homeward.models.zeros import PIECE_BYTES, ZeroScan
from tests.engines.gguf_files import TINY, gguf

CONFIG, ONNX, DATA = "genai_config.json", "model.onnx", "model.onnx.data"
MIB = 1 << 20
WEIGHTS = random.Random(1).randbytes(9 * MIB + 12_345)
"""Of the model with external data; no four of its bytes in a row are zeros … hardly."""

Damage = Callable[[Path], object]


def add_weights(folder: Path, location: str = DATA, weights: bytes = WEIGHTS) -> Path:
    """Give a model weights in a file beside it, in two tensors, one of them inside of a node's attribute."""
    model = onnx.load(folder / ONNX)
    half = len(weights) // 2
    for start, end in ((0, half), (half, len(weights))):
        tensor = TensorProto(name=f"w{start}", data_type=TensorProto.UINT8, dims=[end - start], raw_data=b"x")
        external_data_helper.set_external_data(tensor, location, offset=start, length=end - start)
        tensor.ClearField("raw_data")
        if start:
            model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=tensor))
        else:
            model.graph.initializer.append(tensor)
    (folder / ONNX).write_bytes(model.SerializeToString())
    (folder / location).write_bytes(weights)
    return folder


@pytest.fixture
def toy(tmp_path: Path) -> Model:
    """A model without weights to speak of."""
    return inspect(write_model(tmp_path / "toy"))


@pytest.fixture
def large(tmp_path: Path) -> Model:
    """A model with weights in a file of their own."""
    return inspect(add_weights(write_model(tmp_path / "large")))


def found(model: Model) -> dict[str, str]:
    """The kinds of problems by file; each has a sentence."""
    problems = verify(model)
    assert all(problem.sentence.endswith(".") for problem in problems)
    assert len({problem.file for problem in problems}) == len(problems)
    return {problem.file: problem.kind for problem in problems}


def with_manifest(model: Model) -> Model:
    return msgspec.structs.replace(model, manifest=make_manifest(model))


def overwrite(path: Path, position: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        file.write(content)


# Whole models


def test_the_starter_model_is_whole() -> None:
    """A real one; its record is what others say of the file, too."""
    path = starter_model_path()
    assert path is not None
    model = inspect(path)
    assert verify(model) == ()
    (record,) = make_manifest(model)
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (record.path, record.size) == (path.name, path.stat().st_size)
    assert verify(msgspec.structs.replace(model, manifest=(record,))) == ()


def test_a_manifest_has_every_file(large: Model) -> None:
    """Of the folder, hidden ones not among them."""
    (large.path / ".gitattributes").write_text("x")
    (large.path / "LICENSE").write_text("MIT License")
    records = {record.path: record for record in make_manifest(large)}
    assert sorted(records) == sorted(path.name for path in large.path.iterdir() if path.name != ".gitattributes")
    assert records[DATA] == FileRecord(path=DATA, size=len(WEIGHTS), sha256=hashlib.sha256(WEIGHTS).hexdigest())
    assert verify(with_manifest(large)) == ()


def test_weights_may_lie_in_folders_of_the_model(tmp_path: Path) -> None:
    """As the configuration and the graph say."""
    folder = write_model(tmp_path / "toy")
    (folder / "onnx").mkdir()
    (folder / ONNX).rename(folder / "onnx" / ONNX)
    config = json.loads((folder / CONFIG).read_text())
    config["model"]["decoder"]["filename"] = f"onnx/{ONNX}"
    (folder / CONFIG).write_text(json.dumps(config))
    add_weights(folder / "onnx")
    model = with_manifest(inspect(folder))
    assert {f"onnx/{ONNX}", f"onnx/{DATA}"} < {record.path for record in model.manifest}
    (folder / "onnx" / DATA).unlink()
    assert found(model) == {f"onnx/{DATA}": "missing"}


def test_links_to_a_store_of_files_are_files(large: Model, tmp_path: Path) -> None:
    """As download programs keep them."""
    (large.path / DATA).rename(tmp_path / "blob")
    (large.path / DATA).symlink_to(tmp_path / "blob")
    assert verify(large) == ()


# Files that are not there, cut, or something else


@pytest.mark.parametrize("name", [CONFIG, ONNX, DATA, "tokenizer.json", "tokenizer_config.json"])
def test_a_missing_file(large: Model, name: str) -> None:
    """Whatever it is for."""
    (large.path / name).unlink()
    assert found(large) == {name: "missing"}


def test_a_missing_model(toy: Model, tmp_path: Path) -> None:
    """Of either kind."""
    shutil.rmtree(toy.path)
    assert found(toy) == dict.fromkeys([CONFIG, "tokenizer.json", "tokenizer_config.json"], "missing")
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf())
    model = inspect(path)
    path.unlink()
    assert found(model) == {"model.gguf": "missing"}


@pytest.mark.parametrize(
    ("name", "damage", "kind"),
    [
        (DATA, lambda path: os.truncate(path, len(WEIGHTS) - 1), "cut"),
        (DATA, lambda path: os.truncate(path, 0), "cut"),
        (ONNX, lambda path: os.truncate(path, path.stat().st_size // 2), "cut"),
        (ONNX, lambda path: os.truncate(path, 0), "cut"),
        (ONNX, lambda path: path.write_bytes(bytes(path.stat().st_size)), "zeros"),
        (ONNX, lambda path: path.write_text("<!DOCTYPE html><html>Sign in</html>"), "foreign"),
        (ONNX, lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "foreign"),
        (ONNX, lambda path: path.write_bytes(b"\xff" * 100), "unreadable"),
        ("tokenizer.json", lambda path: os.truncate(path, path.stat().st_size - 1), "unreadable"),
        ("tokenizer.json", lambda path: overwrite(path, path.stat().st_size - 500, bytes(500)), "unreadable"),
        ("tokenizer_config.json", lambda path: path.write_bytes(bytes(50)), "zeros"),
        ("tokenizer_config.json", lambda path: path.write_text("<html>"), "foreign"),
        (CONFIG, lambda path: path.write_bytes(bytes(50)), "zeros"),
        (CONFIG, lambda path: path.write_text('{"model": {}}'), "unreadable"),
    ],
)
def test_a_damaged_file(large: Model, name: str, damage: Damage, kind: str) -> None:
    """It alone is told of, with or without a manifest."""
    known = with_manifest(large)
    damage(large.path / name)
    assert found(large) == {name: kind}
    assert found(known) == {name: kind}


def test_a_manifest_finds_what_nothing_else_does(large: Model) -> None:
    """A wrong byte among the weights, one more or less at the end of a file of no format, a file of no use."""
    (large.path / "notes.txt").write_text("some notes")
    (large.path / "LICENSE").write_text("MIT License")
    known = with_manifest(large)
    overwrite(large.path / DATA, MIB, bytes([WEIGHTS[MIB] ^ 1]))
    (large.path / "notes.txt").write_text("some note")
    (large.path / "LICENSE").write_text("MIT License.")
    assert found(large) == {}
    assert found(known) == {DATA: "changed", "notes.txt": "cut", "LICENSE": "changed"}
    (large.path / "notes.txt").unlink()
    assert found(known) == {DATA: "changed", "notes.txt": "missing", "LICENSE": "changed"}


@pytest.mark.parametrize("location", ["../data", "/etc/passwd", "C:\\data", "..\\data", "a/../../data", ""])
def test_data_outside_of_the_folder_is_not_touched(toy: Model, location: str) -> None:
    """Wherever the file says that it is."""
    model = onnx.load(toy.path / ONNX)
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    model.graph.initializer.append(tensor)
    (toy.path / ONNX).write_bytes(model.SerializeToString())
    assert found(toy) == {ONNX: "foreign" if location else "unreadable"}


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", ""])
def test_a_manifest_that_leads_outside_is_not_followed(toy: Model, name: str) -> None:
    """It comes from a file that anybody may have written."""
    manifest = (FileRecord(path=name, size=1, sha256=""),)
    assert found(msgspec.structs.replace(toy, manifest=manifest)) == {name: "foreign"}


@pytest.mark.parametrize("mark", ["download.tmp", f"{DATA}.dlstate", f"{DATA}.download.state"])
def test_a_download_that_was_not_finished(large: Model, mark: str) -> None:
    """Foundry Local leaves a mark, in the folder or in the one around a version's."""
    (large.path / mark).touch()
    assert found(large) == {mark: "cut"}
    (large.path / mark).unlink()
    version = large.path.with_name("v3")
    large.path.rename(version)
    model = inspect(version)
    (version.parent / mark).touch()
    assert found(model) == {mark: "cut"}


@pytest.mark.skipif(sys.platform != "linux", reason="the file is Linux'")
@pytest.mark.parametrize("name", [CONFIG, "tokenizer.json", "extra.bin"])
def test_a_file_that_the_disk_does_not_give_out(large: Model, name: str) -> None:
    """Others are still looked at."""
    (large.path / DATA).unlink()
    (large.path / name).unlink(missing_ok=True)
    (large.path / name).symlink_to("/proc/self/mem")  # reading it is an input/output error
    problems = found(large)
    assert problems.pop(name) == "unreadable"
    assert problems == ({} if name == CONFIG else {DATA: "missing"})


def test_names_that_the_system_refuses(toy: Model, tmp_path: Path) -> None:
    """A problem, not an error."""
    manifest = (FileRecord(path="x" * 300, size=1, sha256=""),)
    assert found(msgspec.structs.replace(toy, manifest=manifest)) == {"x" * 300: "unreadable"}
    for engine in ("llama", "foundry"):
        problems = verify(msgspec.structs.replace(toy, engine=engine, path=tmp_path / ("x" * 300)))
        assert {problem.kind for problem in problems} <= {"unreadable", "missing"}
        assert problems


def test_every_problem_is_told_at_once(large: Model) -> None:
    """So that all can be mended in one go."""
    (large.path / "tokenizer.json").unlink()
    os.truncate(large.path / DATA, 1)
    assert found(large) == {"tokenizer.json": "missing", DATA: "cut"}
    with pytest.raises(DamagedModelError, match="large is not whole") as caught:
        make_manifest(large)
    assert {problem.file for problem in caught.value.problems} == {"tokenizer.json", DATA}


# GGUF files


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gguf()[:-1], "cut"),
        (gguf()[:100], "cut"),
        (b"", "cut"),
        (bytes(5000), "zeros"),
        (b"<!DOCTYPE html>", "foreign"),
        (gguf({**TINY, "general.alignment": 7}), "unreadable"),
    ],
)
def test_a_damaged_gguf_file(tmp_path: Path, content: bytes, kind: str) -> None:
    """By its header alone."""
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf())
    model = inspect(path)
    path.write_bytes(content)
    assert found(model) == {"model.gguf": kind}


def test_every_part_counts(tmp_path: Path) -> None:
    """One is cut, one is missing."""
    paths = [tmp_path / f"big-{number:05d}-of-00003.gguf" for number in (1, 2, 3)]
    for number, path in enumerate(paths):
        path.write_bytes(gguf({**TINY, "split.count": 3, "split.no": number}))
    model = with_manifest(inspect(paths[0]))
    assert [record.path for record in model.manifest] == [path.name for path in paths]
    os.truncate(paths[1], paths[1].stat().st_size - 1)
    paths[2].unlink()
    assert found(model) == {paths[1].name: "cut", paths[2].name: "missing"}


# Parts that were never written


def test_small_tensors_of_zeros_are_fine(tmp_path: Path) -> None:
    """All tensors of this file are zeros, up to its end."""
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf(tensors=200))
    assert verify(inspect(path)) == ()


@pytest.mark.parametrize("with_hashes", [False, True])
@pytest.mark.parametrize(
    ("start", "end"), [(2 * MIB, 4 * MIB), (3 * MIB, 8 * MIB), (len(WEIGHTS) - MIB, len(WEIGHTS)), (0, len(WEIGHTS))]
)
def test_a_part_of_zeros(large: Model, start: int, end: int, *, with_hashes: bool) -> None:
    """A piece of a download, more than one, the file's end, all of it."""
    model = with_manifest(large) if with_hashes else large
    overwrite(large.path / DATA, start, bytes(end - start))
    assert found(model) == {DATA: "zeros"}


def test_a_part_of_the_real_model_is_zeros(tmp_path: Path) -> None:
    """As a download that broke off leaves it: of the right size, with a sound header."""
    starter = starter_model_path()
    assert starter is not None
    path = tmp_path / "model.gguf"
    shutil.copy(starter, path)
    model = inspect(path)
    overwrite(path, 40 * MIB, bytes(PIECE_BYTES))
    assert found(model) == {"model.gguf": "zeros"}


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="the system does not tell")
def test_a_hole_is_found_where_zeros_alone_would_prove_nothing(large: Model) -> None:
    """1.5 MB in the middle of a file: written, they may be what they should be; never written, they are not."""
    start, end = MIB + 4096, MIB * 5 // 2 + 4096
    overwrite(large.path / DATA, start, bytes(end - start))
    assert found(large) == {}
    (large.path / DATA).write_bytes(WEIGHTS[:start])
    os.truncate(large.path / DATA, end)
    with (large.path / DATA).open("ab") as file:
        file.write(WEIGHTS[end:])
    assert found(large) == {DATA: "zeros"}


def test_zeros_that_belong_there_are_fine(large: Model) -> None:
    """The hash is right: that is how this model is."""
    overwrite(large.path / DATA, 2 * MIB, bytes(4 * MIB))
    digest = hashlib.sha256((large.path / DATA).read_bytes()).hexdigest()
    record = FileRecord(path=DATA, size=len(WEIGHTS), sha256=digest)
    assert found(large) == {DATA: "zeros"}
    assert found(msgspec.structs.replace(large, manifest=(record,))) == {}


@settings(max_examples=60, deadline=None)
@given(start=st.integers(1, 5 * MIB))
def test_tokens_that_were_never_trained_are_no_hole(start: int) -> None:
    """250 rows of 4096 numbers of 16 bits, as Llama 3 has them, wherever they are."""
    rows = bytes(250 * 4096 * 2)
    assert not scanned(WEIGHTS[:start] + rows + WEIGHTS[start : start + MIB])


@settings(max_examples=60, deadline=None)
@given(before=st.integers(0, 3), pieces=st.integers(1, 2), rest=st.integers(0, MIB))
def test_a_piece_that_was_never_fetched_is_found(before: int, pieces: int, rest: int) -> None:
    """Wherever it is, and whatever follows it."""
    start, end = before * PIECE_BYTES, (before + pieces) * PIECE_BYTES
    assert scanned(WEIGHTS[:start] + bytes(end - start) + WEIGHTS[end : end + rest])


def scanned(content: bytes) -> bool:
    scan = ZeroScan()
    for start in range(0, len(content), PIECE_BYTES):
        scan.feed(content[start : start + PIECE_BYTES])
    return scan.found


# Progress and cancelling


def test_progress_rises_to_one(large: Model) -> None:
    """In steps, and not above."""
    told: list[float] = []
    verify(large, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 5


def test_progress_ends_at_one_where_nothing_could_be_read(toy: Model) -> None:
    """Nobody is left waiting."""
    told: list[float] = []
    shutil.rmtree(toy.path)
    verify(toy, told.append)
    assert told == [1.0]


def test_a_check_can_be_cancelled(large: Model) -> None:
    """At the next piece, for a result is not wanted any more."""
    told: list[float] = []
    with pytest.raises(VerificationCancelledError):
        verify(large, told.append, lambda: len(told) >= 3)
    assert len(told) == 3
    with pytest.raises(VerificationCancelledError):
        make_manifest(large, None, lambda: True)


def test_a_large_file_needs_little_memory(large: Model) -> None:
    """It passes by in pieces."""
    tracemalloc.start()
    make_manifest(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * PIECE_BYTES
