"""The way through .onnx files: every tensor's data is found, and no file leads astray."""

import contextlib
import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from homeward.models.onnx_file import CutOffError, MalformedError, external_data

ONNX = "model.onnx"


def a_graph_with_everything() -> onnx.ModelProto:
    """Tensors wherever ONNX can have them, each with data of its own elsewhere."""

    def outside(location: str, length: int | None, data_type: int = TensorProto.FLOAT, offset: int = 0) -> TensorProto:
        tensor = TensorProto(name=location, data_type=data_type, dims=[3, 5], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=location)
        if offset:
            tensor.external_data.add(key="offset", value=str(offset))
        if length is not None:
            tensor.external_data.add(key="length", value=str(length))
        return tensor

    inner = helper.make_graph([], "inner", [], [], [outside("in_subgraph", 7)])
    sparse = onnx.SparseTensorProto(values=outside("values", 11), indices=outside("indices", 13), dims=[9])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner)
    node.attribute.append(helper.make_attribute("tensors", [outside("in_list", 17)]))
    node.attribute.append(helper.make_attribute("sparse", sparse))
    graph = helper.make_graph(
        [node],
        "outer",
        [helper.make_tensor_value_info("x", TensorProto.BOOL, ["batch", 1])],
        [],
        [
            outside("shared", 4),
            outside("shared", 4, offset=1000),
            outside("shared", 4, offset=8),
            outside("floats", None),
            outside("packed", None, TensorProto.INT4),
            numpy_helper.from_array(np.zeros((3, 4), np.float32), "inside"),
        ],
        sparse_initializer=[onnx.SparseTensorProto(values=outside("sparse_values", 19), dims=[9])],
    )
    function = helper.make_function(
        "home", "f", [], [], [helper.make_node("Constant", [], ["c"], value=outside("f", 1))], []
    )
    return helper.make_model(graph, functions=[function], doc_string="words")


EVERYTHING = a_graph_with_everything().SerializeToString()


def test_data_is_found_wherever_a_tensor_can_be(tmp_path: Path) -> None:
    """And how much of it there must be: as it says, or as the shape and type say."""
    (tmp_path / ONNX).write_bytes(EVERYTHING)
    elsewhere = {"in_subgraph": 7, "values": 11, "indices": 13, "in_list": 17, "sparse_values": 19, "f": 1}
    assert external_data(tmp_path / ONNX) == {**elsewhere, "shared": 1004, "floats": 60, "packed": 8}


def test_a_large_model_is_not_read(tmp_path: Path) -> None:
    """Its weights are passed over, be they inside."""
    path = tmp_path / ONNX
    weights = numpy_helper.from_array(np.ones(50_000_000, np.uint8), "w")
    path.write_bytes(helper.make_model(helper.make_graph([], "g", [], [], [weights])).SerializeToString())
    tracemalloc.start()
    external_data(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx") / ONNX


def test_a_file_cut_anywhere_is_whole_or_refused(scratch: Path) -> None:
    """Only what comes after all that matters may be missing."""
    whole = []
    for length in range(len(EVERYTHING)):
        scratch.write_bytes(EVERYTHING[:length])
        with contextlib.suppress(CutOffError):
            external_data(scratch)
            whole.append(length)
    model = a_graph_with_everything()
    del model.functions[:]
    assert whole == [len(model.SerializeToString())]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_file_or_refused(scratch: Path, content: bytes) -> None:
    """Neither other errors nor much memory."""
    scratch.write_bytes(content)
    reads_in_bounds(scratch)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.integers(0, len(EVERYTHING) - 1), st.integers(0, 255), max_size=6),
    inserted=st.tuples(st.integers(0, len(EVERYTHING)), st.binary(max_size=12)),
)
def test_a_file_with_wrong_bytes_is_a_file_or_refused(
    scratch: Path, changes: dict[int, int], inserted: tuple[int, bytes]
) -> None:
    """Lengths that lead anywhere among them."""
    content = bytearray(EVERYTHING)
    for position, byte in changes.items():
        content[position] = byte
    position, more = inserted
    content[position:position] = more
    scratch.write_bytes(content)
    reads_in_bounds(scratch)


def reads_in_bounds(path: Path) -> None:
    tracemalloc.start()
    with contextlib.suppress(CutOffError, MalformedError):
        assert all(size >= 0 for size in external_data(path).values())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000


def number(value: int) -> bytes:
    """A number as protobuf writes it."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + number(value >> 7)


def field(key: int, content: bytes | int) -> bytes:
    """A field of protobuf whose content is bytes or a number."""
    if isinstance(content, int):
        return number(key << 3) + number(content)
    return number(key << 3 | 2) + number(len(content)) + content


def a_model_with(tensor: bytes) -> bytes:
    """A file with this one tensor, whose data is elsewhere."""
    return field(7, field(5, tensor + field(14, 1))) + field(8, b"")


def where(**said: str) -> bytes:
    """The fields of a tensor that say where its data is."""
    return b"".join(field(13, field(1, key.encode()) + field(2, text.encode())) for key, text in said.items())


@pytest.mark.parametrize(
    ("tensor", "needed"),
    [
        (where(location="w", length="7", offset="5"), 12),
        (field(1, 3) + field(1, 5) + field(2, 10) + where(location="w"), 30),
        (field(1, number(3) + number(500)) + field(2, 22) + where(location="w"), 750),
        (field(1, 3) + field(2, 22) + where(location="w"), 2),
        (field(1, 0) + field(2, 1) + where(location="w"), 0),
        (b"\x0d1234" + b"\x0912345678" + where(location="w", length="7"), 7),
        (field(1, (1 << 64) - 1) + field(2, 1) + where(location="w"), 1 << 62),
    ],
)
def test_how_much_data_a_tensor_has(scratch: Path, tensor: bytes, needed: int) -> None:
    """As it says; else as its shape says, packed or not; fields of other kinds are passed over."""
    scratch.write_bytes(a_model_with(tensor))
    assert external_data(scratch) == {"w": needed}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (a_model_with(where(length="7")), "where its data is"),
        (a_model_with(where(location="w", length="-7")), "no number"),
        (a_model_with(where(location="w", length="x")), "no number"),
        (a_model_with(where(location="w", offset="٣")), "no number"),
        (a_model_with(where(location="w", offset="9" * 21)), "no number"),
        (a_model_with(where(location="w" * 70_000)), "senselessly long"),
        (field(7, field(5, b"\x42\x7f")) + field(8, b""), "longer than the message"),
        (field(7, field(5, b"\x09")) + field(8, b""), "longer than the message"),
        (field(7, b"\x0b") + field(8, b""), "unknown kind 3"),
        (bytes(100), "without a number"),
        (field(1, 1) * 1_000_001, "senselessly many"),
    ],
)
def test_a_file_that_contradicts_itself(scratch: Path, content: bytes, words: str) -> None:
    """Each with its reason."""
    scratch.write_bytes(content)
    with pytest.raises(MalformedError, match=words):
        external_data(scratch)


def test_nesting_without_end_is_refused(scratch: Path) -> None:
    """Before Python's own limit."""
    graph = b""
    for _ in range(2000):
        graph = field(1, field(5, field(6, graph)))
    scratch.write_bytes(field(7, graph))
    with pytest.raises(MalformedError, match="nested"):
        external_data(scratch)


def test_numbers_without_end_are_refused(scratch: Path) -> None:
    """Of more than ten bytes, and products of thousands of dimensions."""
    scratch.write_bytes(b"\x08" + b"\xff" * 50)
    with pytest.raises(MalformedError, match="does not end"):
        external_data(scratch)
    model = a_graph_with_everything()
    del model.graph.initializer[:]
    tensor = model.graph.initializer.add(name="w", data_type=1, data_location=TensorProto.EXTERNAL)
    tensor.dims.extend([2**62] * 20_000)
    tensor.external_data.add(key="location", value="w")
    scratch.write_bytes(model.SerializeToString())
    assert external_data(scratch)["w"] > 1 << 60
