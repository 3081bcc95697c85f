"""The search: every place at once, each with its own limit."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from homeward.discovery.found import TITLES, Discovery, FoundService, Kind, NotFound
from homeward.discovery.foundry_address import foundry_clues
from homeward.discovery.identify import Candidate, homeward_there, identify
from homeward.discovery.loopback import Refused, Root, loopback_root
from homeward.discovery.peer import Peer, opened_session
from homeward.discovery.rules import DEFAULT_RULES, Rules
from homeward.discovery.usual_places import usual_places

Outcome: TypeAlias = FoundService | NotFound
_Lookup: TypeAlias = Coroutine[Any, Any, Sequence[Outcome]]

FOUNDRY: tuple[Kind, ...] = ("foundry-server", "foundry-service")


async def discover(
    *,
    base_url: str | None,
    api_key: str = "",
    environment: Mapping[str, str],
    own_urls: Collection[str] = (),
    rules: Rules = DEFAULT_RULES,
) -> Discovery:
    """Find the model services that run on this machine, and say why there are no others.

    Nothing is started, loaded or changed, no port is scanned, and nothing but this machine is asked. It takes as
    long as the slowest place: next to nothing where nothing listens, seconds where something hangs, and
    `rules.command_seconds` where the user has a `foundry` command that does. Cancelling it ends everything.

    Args:
        base_url: the address that the user gave (`BASE_URL`), with or without `/v1`; None or empty for none.
        api_key: the user's key for that address (`API_KEY`); no other place gets it.
        environment: of the process; tells where Ollama, the home folder and the `foundry` command are.
        own_urls: where Homeward itself listens; never asked.
        rules: ports and limits.
    """
    async with opened_session() as session:
        search = _Search(session, environment, own_urls, rules)
        lookups = [search.user(base_url, api_key), search.foundry()]
        given = _port(base_url or "")
        lookups += [search.place(*place) for place in usual_places(rules, environment) if place[1].port != given]
        outcomes = await _all(lookups)
    found: dict[int | None, FoundService] = {}
    for outcome in outcomes:
        if isinstance(outcome, FoundService):
            found.setdefault(_port(outcome.url), outcome)
    kinds = {service.kind for service in found.values()}
    if kinds.intersection(FOUNDRY):
        kinds.update(FOUNDRY)
    missing = [outcome for outcome in outcomes if isinstance(outcome, NotFound) and outcome.kind not in kinds]
    return Discovery(found=tuple(found.values()), missing=tuple(missing))


async def discover_kind(
    kind: Kind,
    *,
    base_url: str | None,
    api_key: str = "",
    environment: Mapping[str, str],
    own_urls: Collection[str] = (),
    rules: Rules = DEFAULT_RULES,
) -> FoundService | NotFound:
    """Find a service of this kind again, after a connection error say.

    Only places where it may be are asked; everything else is as with `discover`.
    """
    async with opened_session() as session:
        search = _Search(session, environment, own_urls, rules)
        lookups = [search.user(base_url, api_key)]
        if kind in FOUNDRY:
            lookups.append(search.foundry())
        lookups += [search.place(*place) for place in usual_places(rules, environment) if kind in place[0].expected]
        outcomes = await _all(lookups)
    for outcome in outcomes:
        if isinstance(outcome, FoundService) and outcome.kind == kind:
            return outcome
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, NotFound)]
    return NotFound(kind=kind, reason=" ".join(reasons) or "No address of it is known.")


class _Search:
    """One search: what all of its lookups need."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        environment: Mapping[str, str],
        own_urls: Collection[str],
        rules: Rules,
    ) -> None:
        self._session = session
        self._environment = environment
        self._own_ports = {urlsplit(url).port for url in own_urls}
        self._rules = rules

    async def user(self, base_url: str | None, api_key: str) -> Sequence[Outcome]:
        """What answers at the user's address, whatever it is; nothing where there is none."""
        if not base_url or not base_url.strip():
            return ()
        root = loopback_root(base_url)
        if isinstance(root, Refused):
            return (NotFound(kind="openai-compatible", reason=root.reason),)
        key = api_key.strip()
        if not (key.isascii() and key.isprintable()):
            reason = "The key in API_KEY has a character that cannot be sent; something else was copied with it."
            return (NotFound(kind="openai-compatible", reason=reason),)
        candidate = Candidate(kind="openai-compatible", expected=tuple(TITLES), source="the address that you gave")
        return await self.place(candidate, root, key)

    async def foundry(self) -> Sequence[Outcome]:
        """The first service that Foundry's own traces lead to, else what became of each."""
        outcomes: list[Outcome] = []
        clues = foundry_clues(self._environment, command_seconds=self._rules.command_seconds)
        async with aclosing(clues):
            async for clue in clues:
                if isinstance(clue.address, Refused):
                    outcomes.append(NotFound(kind=clue.kind, reason=clue.address.reason))
                    continue
                candidate = Candidate(kind=clue.kind, expected=FOUNDRY, source=clue.source)
                there = await self.place(candidate, clue.address)
                if isinstance(there[0], FoundService):
                    return there
                outcomes += there
        return outcomes

    async def place(self, candidate: Candidate, root: Root, api_key: str = "") -> Sequence[Outcome]:
        """The one outcome of looking at one place."""
        peer = Peer(self._session, root, seconds=self._rules.answer_seconds, api_key=api_key)
        if root.port in self._own_ports:
            return (NotFound(kind=candidate.kind, reason=homeward_there(peer)),)
        return (await identify(peer, candidate, catalogue_seconds=self._rules.catalogue_seconds),)


async def _all(lookups: Sequence[_Lookup]) -> list[Outcome]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(lookup) for lookup in lookups]
    return [outcome for task in tasks for outcome in task.result()]


def _port(url: str) -> int | None:
    """A port stands for a place: who shares one on different loopback addresses is not told apart."""
    root = loopback_root(url)
    return root.port if isinstance(root, Root) else None
