"""Who owns conversations."""

import asyncio

import pytest

from homeward.history import History, RefusedError


async def test_a_user_is_unknown_until_made_sure_of(history: History) -> None:
    assert await history.get_user("ann") is None
    ann = await history.ensure_user("ann", "Ann", {"provider": "header", "roles": ["admin"]})
    assert (ann.identifier, ann.display_name) == ("ann", "Ann")
    assert ann.metadata == {"provider": "header", "roles": ["admin"]}
    assert ann.created_at.utcoffset() is not None
    assert await history.get_user("ann") == ann


async def test_a_second_sign_in_changes_what_it_brings_and_keeps_the_rest(history: History) -> None:
    first = await history.ensure_user("ann", "Ann", {"provider": "header", "theme": "dark"})
    second = await history.ensure_user("ann", None, {"theme": None, "language": "ko"})
    assert (second.id, second.created_at, second.display_name) == (first.id, first.created_at, "Ann")
    assert second.metadata == {"provider": "header", "language": "ko"}
    assert await history.ensure_user("ann") == second


async def test_many_sign_ins_at_once_make_one_user(history: History) -> None:
    users = await asyncio.gather(*(history.ensure_user("ann") for _ in range(10)))
    assert len({user.id for user in users}) == 1


@pytest.mark.parametrize("name", ["", "x" * 256])
async def test_an_identifier_that_no_index_can_hold_is_refused(history: History, name: str) -> None:
    with pytest.raises(RefusedError, match="1 to 255 characters"):
        await history.ensure_user(name)


async def test_an_odd_identifier_finds_its_user_again(history: History) -> None:
    """Letters that a database cannot hold are replaced in the same way when looking up."""
    odd = "zoë\x00\ud800"
    ann = await history.ensure_user(odd)
    assert ann.identifier == "zoë\ufffd\ufffd"
    assert await history.get_user(odd) == ann
