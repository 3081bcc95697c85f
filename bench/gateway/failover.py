"""What a client sees when the first of two upstreams fails: LiteLLM and Homeward, the same faults.

Each fault is met by seven requests in a row, so that one sees whether the gateway learns. Both have the same deadlines
for the first upstream, and the second one is well.
"""

import asyncio
import statistics
import time
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

import aiohttp
import msgspec

from bench.gateway.candidates import HOMEWARD, LITELLM
from bench.gateway.homeward_gateway import BY_POLICY, cloud, homeward
from bench.gateway.litellm_proxy import deployment, litellm
from bench.gateway.reading import read
from bench.gateway.servers import Gateway, Server, free_port, running
from bench.gateway.texts import answer, request_body, tag

ASKED = 7
"""One more than the failures after which a breaker opens, and one again."""
SECOND = "second"
WITH_COOLDOWN = f"{LITELLM}, `allowed_fails` 1, `cooldown_time` 30"


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the first upstream."""

    text: str
    model: str
    """The model of the stub that behaves so."""
    stream: bool = False
    deadline_seconds: float = 3.0
    """For its first word."""
    listens: bool = True

    @property
    def name(self) -> str:
        """For configurations."""
        return self.model.replace("stub", "first") if self.listens else "first-refused"


FAULTS = (
    Fault("refuses connections", "stub", listens=False),
    Fault("status 500", "stub-500"),
    Fault("hangs; deadline 3 s", "stub-hang"),
    Fault("first byte after 4 s, deadline 2 s; streamed", "stub-slow", stream=True, deadline_seconds=2.0),
    Fault("cut after 10 words; streamed", "stub-cut", stream=True),
    Fault("error event after 10 words; streamed", "stub-error", stream=True),
)


class Seen(msgspec.Struct, frozen=True):
    """How one request ended for the client."""

    what: str
    seconds: float


def in_short(body: bytes, its_tag: str, *, stream: bool, broken: bool) -> str:
    """What a client makes of the body of an answer with status 200."""
    answered = read(body, stream=stream)
    if answered.is_whole(answer(its_tag)) and not broken:
        return "whole"
    parts = [f"{len(answered.text.split())} words"]
    parts += ["an error event"] if answered.failed else []
    parts += [f"finish_reason {answered.finish}"] if answered.finish else []
    parts += ["[DONE]"] if answered.done and stream else []
    parts += ["the connection broke"] if broken else []
    return ", ".join(parts)


async def ask(session: aiohttp.ClientSession, url: str, model: str, its_tag: str, *, stream: bool) -> Seen:
    """One request."""
    began = time.perf_counter()
    content, broken = b"", False
    async with session.post(url, data=request_body(model, its_tag, stream=stream)) as response:
        try:
            async for piece in response.content.iter_any():
                content += piece
        except aiohttp.ClientPayloadError:
            broken = True
    seconds = time.perf_counter() - began
    if response.status != 200:
        return Seen(f"status {response.status}", seconds)
    return Seen(in_short(content, its_tag, stream=stream, broken=broken), seconds)


async def meet(fault: Fault, gateway: Gateway, server: Server) -> list[Seen]:
    """The requests in a row."""
    url = f"http://127.0.0.1:{server.port}/v1/chat/completions"
    headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        model = gateway.model(fault.name)
        for stream in (False, True):  # what is loaded at the first requests is not the fault's
            await ask(session, url, gateway.model(SECOND), tag(0), stream=stream)
        return [await ask(session, url, model, tag(number), stream=fault.stream) for number in range(1, ASKED + 1)]


def in_words(seen: Sequence[Seen]) -> str:
    """Requests in a row that saw the same, in about the same time, are told together."""
    groups: list[list[Seen]] = []
    for each in seen:
        if groups and groups[-1][0].what == each.what and abs(groups[-1][0].seconds - each.seconds) < 0.5:
            groups[-1].append(each)
        else:
            groups.append([each])
    return "; then ".join(map(_in_words, groups))


def _in_words(alike: Sequence[Seen]) -> str:
    return f"{len(alike)} x {alike[0].what} ({statistics.median(each.seconds for each in alike):.2f} s)"


def litellm_gateways(url: str, venv: Path, folder: Path) -> dict[str, Gateway]:
    """LiteLLM as it comes, and with a cooldown; one process each for all faults."""
    nobody = f"http://127.0.0.1:{free_port()}"
    deployments = [deployment(SECOND, url, "stub")]
    for fault in FAULTS:
        seconds = {"timeout": fault.deadline_seconds, "stream_timeout": fault.deadline_seconds}
        deployments.append(deployment(fault.name, url if fault.listens else nobody, fault.model, **seconds))
    router = {"num_retries": 0, "fallbacks": [{fault.name: [SECOND]} for fault in FAULTS]}
    variants = {LITELLM: {}, WITH_COOLDOWN: {"allowed_fails": 1, "cooldown_time": 30}}
    gateways = {}
    for number, (name, further) in enumerate(variants.items()):
        own = folder / f"litellm-{number}"
        own.mkdir()
        gateways[name] = litellm(venv, own, deployments, **router, **further)
    return gateways


def homeward_gateway(fault: Fault, url: str, folder: Path) -> Gateway:
    """Homeward with two clouds, of which the first has this fault; a process for each fault."""
    own = folder / f"homeward-{fault.name}"
    own.mkdir()
    nobody = f"http://127.0.0.1:{free_port()}"
    clouds = {
        "first": cloud(
            "first", url if fault.listens else nobody, fault.model, first_token_seconds=fault.deadline_seconds
        ),
        SECOND: cloud(SECOND, url, "stub"),
    }
    return homeward(own, clouds, models={fault.name: BY_POLICY, SECOND: f"{SECOND}/stub"})


def measure(names: Iterable[str], url: str, venv: Path, folder: Path, on: Set[int]) -> dict[str, dict[str, str]]:
    """What each gateway did about each fault, by the gateway's name and the fault's text.

    One after the other, so that none disturbs another.
    """
    wanted: dict[str, list[tuple[Gateway, Sequence[Fault]]]] = {}
    if LITELLM in names:
        wanted |= {name: [(gateway, FAULTS)] for name, gateway in litellm_gateways(url, venv, folder).items()}
    if HOMEWARD in names:
        wanted[HOMEWARD] = [(homeward_gateway(fault, url, folder), (fault,)) for fault in FAULTS]
    return {name: _met(gateways, on, folder) for name, gateways in wanted.items()}


def _met(gateways: Iterable[tuple[Gateway, Sequence[Fault]]], on: Set[int], folder: Path) -> dict[str, str]:
    told = {}
    for gateway, faults in gateways:
        with running(gateway, on, folder) as server:
            for fault in faults:
                told[fault.text] = in_words(asyncio.run(meet(fault, gateway, server)))
    return told
