"""Whether a prompt with personal data or a secret ever reaches a cloud, over the whole set of others.

    python -m bench.leaks [--data ../shared/data/pii] [--limit 100] [--seed 1] [--no-engine]

Every text of `bench.privacy`'s sets that holds something of a kind we look for, as it is and in disguise (characters of
no width between its own, full width, percent, base64), is a request. Each goes through a real `Completer` before which
stands a loopback cloud that is well, that the user has agreed to, and that the policy names first:

1. `well`: the device answers.
2. `failing`: the device answers, refuses, is silent, breaks off or is gone, at random; clients leave at random; the
   cloud fails now and then; with failover, retries and hedging.
3. `killed`: the device is the real engine, and its process is killed at random.

Texts without any such thing go with them and may leave, so that the way to the cloud is seen to be open. What the cloud
counted is compared byte for byte with the receipts and with the audit log.
"""

import argparse
import asyncio
import base64
import contextlib
import os
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from random import Random

import msgspec
from structlog.testing import capture_logs
from tests.backends.fake_upstream import serving
from tests.faults.world import Client, World

from bench.privacy import DATA, FILE, Labelled, presidio, samples
from homeward.backends import Backend, BackendRow, Connections, Deadlines, Health, Locate
from homeward.completion import Firewall, Rules
from homeward.config import PolicySettings, PrivacySettings
from homeward.engines.llama import llama_recipe
from homeward.engines.pool import EnginePool
from homeward.engines.starter import starter_model_path
from homeward.observability.audit import read, transfers
from homeward.privacy import Kind
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message, Mode, Sampling
from homeward.protocol.place import Place

AT_ONCE = 16
FIRST_TOKEN_SECONDS = 0.2
LEAVING_SHARE = 0.1
KILLING_SHARE = 0.5
ENGINE_PROMPTS = 24
DEVICE_WAYS = (
    *("ok", "ok", "ok", "status-500", "status-503", "429-ms-300", "rst-before-headers", "half-event-rst", "silent-end"),
    *("no-headers", "no-first-token-comments", "html-200", "malformed-json", "context-length"),
)
CLOUD_WAYS = (*("ok",) * 6, "status-500", "half-event-rst", "rst-before-headers", "no-headers")
POLICIES = (
    PolicySettings(preset="cloud-first", hedge=True),
    PolicySettings(preset="local-first", hedge=True),
    PolicySettings(places=("device", "cloud")),
)
MODES: tuple[Mode, ...] = ("auto", "cloud")
FIREWALL = Firewall(PrivacySettings())
"""With the choices of the default: what has findings stays home."""


class Prompt(msgspec.Struct, frozen=True):
    """One request, and what others say stands in it."""

    text: str
    way: str
    """How it is disguised; `nothing` where there is nothing to disguise."""
    kinds: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()


class Row(msgspec.Struct):
    """Counts for one disguise."""

    prompts: int = 0
    found: int = 0
    found_left: int = 0
    """Something was found, and the cloud has it all the same: a leak."""
    unseen: int = 0
    """Nothing was found, though there is something."""
    unseen_left: int = 0
    missed: Counter[str] = msgspec.field(default_factory=Counter)
    """Kinds that stand in a prompt and were not found in it, whether or not another one was."""


class Bytes(msgspec.Struct):
    """What left, as three parties count it."""

    cloud: int = 0
    receipts: int = 0
    audit: int = 0


class Outcome(msgspec.Struct):
    """What one phase came to."""

    rows: dict[str, Row] = msgspec.field(default_factory=dict)
    bytes: Bytes = msgspec.field(default_factory=Bytes)
    endings: Counter[str] = msgspec.field(default_factory=Counter)
    told: int = 0
    """Values that stand in the log, in an error, or in a receipt."""

    @property
    def leaks(self) -> int:
        """Prompts with findings that reached the cloud."""
        return sum(row.found_left for row in self.rows.values())


# What is asked


def prompts(texts: Iterable[Labelled]) -> list[Prompt]:
    """Each text in each disguise; those that are the same only once."""
    made: dict[str, Prompt] = {}
    for labelled in texts:
        spans = [(label.start, label.end) for label in labelled.labels if label.kind in set(Kind)]
        kinds = frozenset(label.kind for label in labelled.labels if label.kind in set(Kind))
        values = tuple(labelled.text[start:end] for start, end in spans)
        disguised = {way: replaced(labelled.text, spans, way) for way in DISGUISES} if spans else {}
        if spans:
            disguised["base64"] = "What is this? " + base64.b64encode(labelled.text.encode()).decode()
        for way, text in (disguised or {"nothing": labelled.text}).items():
            made.setdefault(text, Prompt(text, way, kinds, values))
    return list(made.values())


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "zero width": "\u200b".join,
    "full width": lambda value: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
    "percent": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
}


def replaced(text: str, spans: Iterable[tuple[int, int]], way: str) -> str:
    """The text with each of these stretches in this disguise."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + DISGUISES[way](text[start:end]) + text[end:]
    return text


# How it is asked


async def well(asked: Sequence[Prompt], folder: Path) -> Outcome:
    """All parts work."""
    async with a_world(folder) as world:
        world.add_cloud("ok", "cloud", at_a_time=AT_ONCE)
        world.add_device("ok", "device")
        return await tried(world, asked, seeded(0), POLICIES[:1], leaving=0.0)


async def failing(asked: Sequence[Prompt], folder: Path, seed: int) -> Outcome:
    """All parts fail at random."""
    random = seeded(seed)
    async with a_world(folder) as world:
        cloud = world.add_cloud("ok", "cloud", at_a_time=AT_ONCE, first_token_seconds=FIRST_TOKEN_SECONDS)
        cloud.locate = at_random(random, CLOUD_WAYS, world.cloud.base_url)
        cloud.health = Health(rests=False)  # else it would soon be left alone, and be in no danger
        device = world.add_device("ok", "device", first_token_seconds=FIRST_TOKEN_SECONDS, event_seconds=1.0)
        device.locate = at_random(random, DEVICE_WAYS, world.home.base_url)
        device.health = Health(rests=False)
        return await tried(world, asked, random, POLICIES, leaving=LEAVING_SHARE)


def at_random(random: Random, ways: Sequence[str], url: str) -> Locate:
    """Where it is, with another behaviour for each request."""
    return lambda _: contextlib.nullcontext(Address(url=url, model=random.choice(ways)))


def seeded(seed: int) -> Random:
    """What seems random and is the same each time."""
    return Random(seed)  # noqa: S311 - not a secret


async def killed(asked: Sequence[Prompt], folder: Path, seed: int) -> Outcome:
    """The device is a process of ours that is killed at random, in the middle of its answers or before."""
    path = starter_model_path()
    assert path is not None, "the starter model is not installed"
    random = seeded(seed)
    pool = EnginePool(lambda _: llama_recipe(path, "starter", context_tokens=2048))
    async with a_world(folder) as world:
        world.add_cloud("ok", "cloud", at_a_time=AT_ONCE)
        row = BackendRow(name="llama", place=Place.DEVICE, restarts=True, at_a_time=2, deadlines=Deadlines())
        world.add(Backend(row, lambda _: pool.lease("starter"), world.connections))
        await pool.load("starter")
        killer = asyncio.create_task(kill_at_random(pool, random))
        try:
            return await tried(world, asked, random, POLICIES[:1], leaving=LEAVING_SHARE)
        finally:
            killer.cancel()
            await asyncio.wait({killer})
            await pool.close()


async def kill_at_random(pool: EnginePool, random: Random) -> None:
    """Some time after it has become ready, again and again."""
    while True:
        await pool.engine("starter").ensure_ready()
        await asyncio.sleep(random.uniform(0.0, 3.0))
        pid = pool.engine("starter").status.pid
        if pid is not None and random.random() < KILLING_SHARE:
            os.kill(pid, signal.SIGKILL)
        pool.engine("starter").suspect()


@contextlib.asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    """Upstreams on loopback, and a log that is looked at afterwards."""
    async with serving(pace=0.002) as home, serving(pace=0.002) as cloud, Connections() as connections:
        with capture_logs() as log:
            yield World(home, cloud, connections, folder, log)


async def tried(
    world: World, asked: Sequence[Prompt], random: Random, policies: Sequence[PolicySettings], *, leaving: float
) -> Outcome:
    """Ask for all of them, some at a time, and count."""
    outcome = Outcome()
    found: dict[str, frozenset[str]] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(prompt: Prompt, policy: PolicySettings) -> None:
        async with gate:
            request = ChatRequest(
                messages=(Message("user", prompt.text),), mode=random.choice(MODES), sampling=Sampling(max_tokens=16)
            )
            world.completer.rules = Rules(policy, world.budget, FIREWALL)
            prepared = await world.completer.prepare(request)
            found[prompt.text] = prepared.known.facts.findings
            client = world.client(world.completer.begin(prepared))
            await read_or_leave(client, random.randrange(6) if random.random() < leaving else None)
            outcome.endings["left" if client.left else client.answer.receipt.outcome] += 1

    for policy in policies:
        await asyncio.gather(*(one(prompt, policy) for prompt in asked[policies.index(policy) :: len(policies)]))
    await world.home.quiet()
    await world.cloud.quiet()
    await world.audit.close()
    count(outcome, world, asked, found)
    return outcome


async def read_or_leave(client: Client, events: int | None) -> None:
    """To its end, or so many events of it."""
    if events is None:
        await client.read()
        return
    with contextlib.suppress(AssertionError):  # it was shorter than that
        await client.read_until(lambda _: len(client.events) >= events)
        await client.leave()


def count(outcome: Outcome, world: World, asked: Sequence[Prompt], found: dict[str, frozenset[str]]) -> None:
    """What the cloud has, and what was written down about it."""
    left = {message["content"] for request in world.cloud.requests for message in request.body["messages"]}
    for prompt in asked:
        row = outcome.rows.setdefault(prompt.way, Row())
        row.prompts += 1
        row.found += bool(found[prompt.text])
        row.found_left += bool(found[prompt.text]) and prompt.text in left
        row.unseen += not found[prompt.text]
        row.unseen_left += not found[prompt.text] and prompt.text in left
        row.missed.update(prompt.kinds - found[prompt.text])
    receipts = [client.answer.receipt for client in world.clients]
    audit = transfers(read(world.audit_path))
    outcome.bytes = Bytes(
        cloud=sum(request.raw_bytes for request in world.cloud.requests),
        receipts=sum(receipt.bytes_out for receipt in receipts),
        audit=sum(transfer.ended.bytes_out for transfer in audit if transfer.ended),
    )
    errors = [f"{client.answer.error} {client.answer.error and client.answer.error.detail}" for client in world.clients]
    told = repr(world.log) + repr(receipts) + repr(errors)
    values = {value for prompt in asked for value in prompt.values if len(value) >= 8}
    outcome.told = sum(value in told for value in values)


# What is shown


def show(name: str, outcome: Outcome) -> None:
    """One table."""
    print(f"\n{name:12} {'':12} {'prompts':>8} {'found':>7} {'… left':>7} {'unseen':>7} {'… left':>7}  kinds not found")
    for way, row in outcome.rows.items():
        missed = ", ".join(f"{kind} {number}" for kind, number in row.missed.most_common())
        figures = f"{row.prompts:8} {row.found:7} {row.found_left:7} {row.unseen:7} {row.unseen_left:7}"
        print(f"{'':12} {way:12} {figures}  {missed}")
    print(f"{'':12} endings: {', '.join(f'{ending} {number}' for ending, number in outcome.endings.most_common())}")
    print(f"{'':12} bytes: cloud {outcome.bytes.cloud}, receipts {outcome.bytes.receipts}, audit {outcome.bytes.audit}")
    print(f"{'':12} values in a log, an error or a receipt: {outcome.told}")
    verdict = "No prompt with a finding left." if not outcome.leaks else f"LEAKED: {outcome.leaks} prompts."
    print(f"{'':12} {verdict}")


def main() -> None:
    """Ask, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the set of others")
    parser.add_argument("--limit", type=int, help="as many texts only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-engine", action="store_true", help="leave the third phase out")
    options = parser.parse_args()
    texts = [*samples()]
    if (options.data / FILE).exists():
        texts += presidio(options.data)
    else:
        print(f"No {FILE} in {options.data}: only our own samples are asked.")
    asked = prompts(texts[: options.limit])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("well", asyncio.run(well(asked, folder / "well")))
        show("failing", asyncio.run(failing(asked, folder / "failing", options.seed)))
        if not options.no_engine:
            some = seeded(options.seed).sample(asked, min(ENGINE_PROMPTS, len(asked)))
            show("killed", asyncio.run(killed(some, folder / "killed", options.seed)))


if __name__ == "__main__":
    main()
