"""A continued answer never says its beginning twice."""

from hypothesis import given
from hypothesis import strategies as st

from homeward.completion.continuing import RepeatedBeginning

texts = st.text(alphabet="ab ", max_size=12)


def through(beginning: str, pieces: list[str]) -> str:
    repeated = RepeatedBeginning(beginning)
    return "".join(repeated.new(piece) for piece in pieces)


@given(texts, texts, st.data())
def test_a_repeated_beginning_is_dropped_however_it_is_cut(beginning: str, rest: str, data: st.DataObject) -> None:
    """Only what is new comes through."""
    whole = beginning + rest
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert through(beginning, pieces) == rest


def test_a_server_that_does_not_repeat_is_left_alone() -> None:
    """Nothing of a plain continuation is lost."""
    assert through("Once upon", [" a", " time"]) == " a time"
    assert through("abc", ["ab", "x"]) == "abx"


def test_a_new_answer_is_left_alone() -> None:
    """Without a beginning there is nothing to drop."""
    assert through("", ["a", "b"]) == "ab"


def test_what_only_seemed_to_repeat_is_not_lost() -> None:
    """A stream that ends within what looked like the beginning has said all of it."""
    repeated = RepeatedBeginning("The capital of France is Paris. ")
    assert repeated.new("The capital") == ""
    assert repeated.end() == "The capital"
    assert repeated.end() == ""
