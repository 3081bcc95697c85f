"""Where the policy says so, the next one is asked while the first is late: what that costs is on record."""

import pytest

from homeward.backends import Backend
from homeward.config import PolicySettings
from homeward.observability.audit import read, transfers
from tests.backends.exchange import TEXT
from tests.faults.world import World, all_of, health_of, is_text

pytestmark = pytest.mark.timeout(60)

LATE_SECONDS = 0.2
CLOSED_SECONDS = 0.5
LEARNED_FROM = 5
"""Answers after which a backend's pace is known."""
SILENT = "no-headers"


@pytest.fixture
def hedging(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose policy hedges, and where who is usually quick is late after 0.2 s."""
    monkeypatch.setattr("homeward.backends.pace.LEAST_SECONDS", LATE_SECONDS)
    world.policy = PolicySettings(places=("device", "cloud"), hedge=True)
    return world


def usually_quick(backend: Backend) -> None:
    """Have it known for beginning at once."""
    for _ in range(LEARNED_FROM):
        permit = health_of(backend).permit_now()
        assert permit is not None
        permit.succeeded(0.01, 10)


async def test_it_is_off_by_default(hedging: World) -> None:
    """The next one is asked when the first is given up, not before."""
    hedging.policy = PolicySettings(places=("device", "cloud"))
    usually_quick(hedging.add_device(SILENT))
    hedging.add_cloud("ok")
    client = await hedging.ask()
    first, second = client.answer.receipt.attempts
    assert (client.text, first.error, second.hedged) == (TEXT, "upstream_timeout", False)


async def test_the_loser_is_let_go_while_the_winner_speaks(hedging: World) -> None:
    """Within 0.5 s of the first word, not at the end."""
    usually_quick(hedging.add_device(SILENT))
    hedging.add_cloud("never-ends")
    client = await (await hedging.begin()).read_until(is_text)
    await hedging.home.until(lambda: hedging.home.clients_left_early == 1, CLOSED_SECONDS)
    assert hedging.cloud.running == 1
    await client.leave()


@pytest.mark.parametrize("place", ["device", "cloud"])
async def test_what_the_loser_cost_is_on_record(hedging: World, place: str) -> None:
    """Its bytes are in the receipt and in the log, like the winner's."""
    usually_quick(hedging.add_device(SILENT) if place == "device" else hedging.add_cloud(SILENT))
    hedging.add_cloud("ok", at_a_time=1)
    client = await hedging.ask()
    lost, won = client.answer.receipt.attempts
    assert (client.text, client.answer.receipt.backend) == (TEXT, "ok")
    assert [(lost.error, lost.hedged), (won.error, won.hedged)] == [("lost", False), ("", True)]
    assert bool(lost.bytes_out) == (place == "cloud")
    assert won.bytes_out == hedging.cloud.requests[-1].raw_bytes
    assert len(transfers(read(hedging.audit_path))) == 1 + (place == "cloud")


async def test_the_late_one_may_win(hedging: World) -> None:
    """Then the other one is let go, and paid for at the most that it can have cost."""
    usually_quick(hedging.add_device("late-60"))
    hedging.add_cloud(SILENT, input_price=1.0, output_price=1.0)
    client = await hedging.ask()
    won, lost = client.answer.receipt.attempts
    assert (client.text, client.answer.receipt.place) == (TEXT, "device")
    assert (won.error, lost.error, lost.hedged) == ("", "lost", True)
    assert lost.bytes_out == hedging.cloud.requests[-1].raw_bytes == client.answer.receipt.bytes_out
    assert hedging.spend.month() > 0
    await hedging.cloud.until(lambda: hedging.cloud.clients_left_early == 1, CLOSED_SECONDS)


async def test_one_that_fails_leaves_the_other(hedging: World) -> None:
    """No third one is asked for the first one's fault."""
    usually_quick(hedging.add_device("late-30-rst"))
    hedging.add_cloud("late-60")
    hedging.add_cloud("ok")
    client = await hedging.ask()
    assert (client.text, client.asked) == (TEXT, ["late-30-rst", "late-60"])


async def test_both_may_fail_and_the_third_answers(hedging: World) -> None:
    usually_quick(hedging.add_device("late-30-rst"))
    hedging.add_cloud("late-30-rst", "second")
    hedging.add_cloud("ok")
    client = await hedging.ask()
    assert (client.text, client.asked) == (TEXT, ["late-30-rst", "second", "ok"])


async def test_all_fail(hedging: World) -> None:
    """One ending, like everywhere."""
    usually_quick(hedging.add_device(SILENT, first_token_seconds=0.5))
    hedging.add_cloud(SILENT, "second", first_token_seconds=0.5)
    assert (await hedging.ask()).code == "upstream_timeout"


async def test_a_client_that_leaves_ends_both(hedging: World) -> None:
    usually_quick(hedging.add_device(SILENT))
    hedging.add_cloud(SILENT, "second")
    client = await hedging.begin()
    client.read_on()
    await hedging.cloud.until(lambda: hedging.cloud.running == 1)
    await client.leave()
    await hedging.home.until(lambda: hedging.home.clients_left_early == 1, CLOSED_SECONDS)
    await hedging.cloud.until(lambda: hedging.cloud.clients_left_early == 1, CLOSED_SECONDS)
    assert client.answer.receipt.outcome == "stopped"


async def test_an_interrupted_winner_is_not_replaced(hedging: World) -> None:
    """After the first word there is one voice."""
    usually_quick(hedging.add_device(SILENT))
    hedging.add_cloud("half-event-rst")
    hedging.add_cloud("ok")
    client = await hedging.ask()
    assert client.code == "upstream_disconnected"
    assert client.asked == [SILENT, "half-event-rst"]


async def test_many_late_ones_don_t_double_the_calls(hedging: World) -> None:
    """The budget for further calls holds for hedging too: 1.2 calls for each request of a storm."""
    usually_quick(hedging.add_device("late-40", at_a_time=100, waiting=200))
    hedging.add_cloud("ok", at_a_time=100)
    clients = [await hedging.begin() for _ in range(100)]
    await all_of(clients)
    assert {client.text for client in clients} == {TEXT}
    assert 0 < hedging.cloud.calls["ok"] <= 20
