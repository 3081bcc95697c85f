"""Which engines go for another: never a busy one, never more than needed."""

from hypothesis import given
from hypothesis import strategies as st

from homeward.engines.room import Evict, Resident, Room, TooBig, Wait, make_room

GB = 10**9


def resident(name: str, size: int, used_at: float = 0.0, *, busy: bool = False) -> Resident:
    return Resident(name=name, bytes=size, used_at=used_at, busy=busy)


def test_what_fits_sends_nobody_away() -> None:
    assert make_room(2 * GB, 2 * GB, None, [resident("a", GB)]) == Room()


def test_the_one_used_longest_ago_goes_first() -> None:
    others = [resident("new", 3 * GB, 30), resident("old", 3 * GB, 10), resident("middle", 3 * GB, 20)]
    assert make_room(4 * GB, 2 * GB, None, others) == Evict(("old",))
    assert make_room(7 * GB, 2 * GB, None, others) == Evict(("old", "middle"))


def test_a_small_old_one_stays_where_its_memory_is_not_needed() -> None:
    """Two gigabytes are wanted: the first alone doesn't give them, the second alone does."""
    others = [resident("small", GB // 2, 10), resident("big", 3 * GB, 20)]
    assert make_room(2 * GB, 0, None, others) == Evict(("big",))


def test_a_busy_one_is_waited_for() -> None:
    others = [resident("busy", 3 * GB, busy=True), resident("idle", GB)]
    assert make_room(4 * GB, GB, None, others) == Wait()


def test_what_never_fits_sends_nobody_away() -> None:
    assert make_room(9 * GB, GB, None, [resident("a", 3 * GB)]) == TooBig()


def test_the_users_limit_counts_like_memory() -> None:
    """100 GB are free, but the engines may hold 4 in all."""
    others = [resident("a", 3 * GB)]
    assert make_room(GB, 100 * GB, 4 * GB, others) == Room()
    assert make_room(2 * GB, 100 * GB, 4 * GB, others) == Evict(("a",))
    assert make_room(5 * GB, 100 * GB, 4 * GB, others) == TooBig()


residents = st.lists(
    st.builds(
        Resident,
        name=st.uuids().map(str),
        bytes=st.integers(1, 50),
        used_at=st.floats(0, 100),
        busy=st.booleans(),
    ),
    max_size=6,
)


@given(st.integers(0, 200), st.integers(0, 100), st.none() | st.integers(0, 200), residents)
def test_every_verdict_keeps_its_word(need: int, free: int, limit: int | None, others: list[Resident]) -> None:
    """What is sent away is idle, is enough, and not one of it could have stayed."""
    held = sum(each.bytes for each in others)
    room = free if limit is None else min(free, limit - held)
    verdict = make_room(need, free, limit, others)
    match verdict:
        case Room():
            assert need <= room
        case Evict():
            gone = [each for each in others if each.name in verdict.names]
            assert len(gone) == len(verdict.names) > 0
            assert not any(each.busy for each in gone)
            freed = sum(each.bytes for each in gone)
            assert need <= room + freed
            assert all(need > room + freed - each.bytes for each in gone)
        case Wait():
            idle = sum(each.bytes for each in others if not each.busy)
            assert room + idle < need <= room + held
        case TooBig():
            assert need > room + held
