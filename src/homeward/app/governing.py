"""What the policy page does: the user's rules as they are in force, changed, saved, and explained."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from homeward.app.completing import rules_of
from homeward.app.consents import Consents
from homeward.app.explaining import explained
from homeward.completion import Completer, Firewall
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings, Settings
from homeward.config.edit import ConfigFile, Version, save_tables, version_of
from homeward.config.table import Table
from homeward.manage.governor import Language
from homeward.manage.http import FieldProblem, FieldsError
from homeward.manage.policy_state import Answerer, Departed, Explanation, PolicyState
from homeward.observability.audit import FILE, read, transfers
from homeward.protocol.chat import Mode
from homeward.protocol.errors import ConfigError, InvalidRequestError
from homeward.routing import unknown_targets
from homeward.routing.presets import PLACES


class Governing:
    """The rules of a Homeward that serves. For one event loop."""

    def __init__(self, settings: Settings, completer: Completer, consents: Consents, file: ConfigFile) -> None:
        """`settings` are those that the completer's rules were made of, and `file` is where they are saved."""
        self._settings = settings
        self._completer = completer
        self._consents = consents
        self._file = file
        self._saving = asyncio.Lock()

    async def state(self) -> PolicyState:
        """The rules in force, and what they are about."""
        settings = self._settings
        return PolicyState(
            policy=settings.policy.model_dump(mode="json"),
            privacy=settings.privacy.model_dump(mode="json"),
            budget=settings.budget.model_dump(mode="json"),
            spent=self._completer.books.spend.month(),
            left=await asyncio.to_thread(left_this_month, settings.data_dir / FILE),
            backends=self._backends(),
            orders={preset: tuple(places) for preset, places in PLACES.items()},
            editable=not self._file.locked,
            locked=self._file.locked,
            file=str(self._file.path),
        )

    async def save(self, policy: PolicySettings, privacy: PrivacySettings, budget: BudgetSettings) -> None:
        """Write these into the user's file, put the change on record, and let it count for the next request.

        Raises:
            FieldsError: some of it makes no sense.
            ConfigError: nothing can be saved here, or the file can't be written.
            AuditError: the change can't be put on record.
        """
        if self._file.locked:
            raise ConfigError(self._file.locked, next_step="Unset it, and start Homeward again.")
        async with self._saving:
            tables: Mapping[str, Table] = {"policy": policy, "privacy": privacy, "budget": budget}
            changed = {name: table for name, table in tables.items() if getattr(self._settings, name) != table}
            names = self._completer.backends.keys() | self._settings.clouds.keys()
            if problems := tuple(await asyncio.to_thread(lambda: [*problems_of(policy, privacy, names)])):
                raise FieldsError(problems)
            rules = await asyncio.to_thread(rules_of, policy, privacy, budget, names)
            if changed:
                await self._completer.books.audit.note("policy_changed", tables=", ".join(changed))
                await asyncio.to_thread(save_tables, self._file.path, changed)
                self._settings = self._settings.model_copy(update=tables)
                self._completer.rules = rules

    async def explain(self, prompt: str, mode: Mode, language: Language) -> Explanation:
        """What would happen to this prompt under the rules in force."""
        return await explained(self._completer, self._settings.chat, prompt, mode, language)

    async def consent(self, backend: str, *, given: bool) -> None:
        """The user agrees that words go to this backend, or no longer does."""
        known = self._completer.backends.get(backend)
        if known is None or not known.row.leaves_device:
            raise InvalidRequestError(f"{backend} is no backend outside this device.", next_step="Choose another one.")
        if given:
            await self._consents.give(backend, known.row.host)
        else:
            await self._consents.withdraw(backend)

    async def give(self, backend: str) -> None:
        """The user agrees that words go to this backend."""
        await self.consent(backend, given=True)

    def _backends(self) -> tuple[Answerer, ...]:
        views = self._completer.snapshot().backends
        rows = self._completer.backends
        return tuple(
            Answerer(
                name=view.name,
                place=view.place.value,
                host=rows[view.name].row.host,
                model=view.model,
                state=view.state,
                reason=view.reason,
                consented=view.consented,
                input_price=view.input_price,
                output_price=view.output_price,
            )
            for view in views
        )


def problems_of(policy: PolicySettings, privacy: PrivacySettings, backends: Collection[str]) -> Iterator[FieldProblem]:
    """What makes no sense in these settings, each where it stands."""
    for number, rule in enumerate(policy.rules):
        for name in unknown_targets(rule, backends):
            yield FieldProblem(("policy", "rules", number), f"{name} is neither a place nor a backend.")
    if not refused(privacy):
        return
    for number, word in enumerate(privacy.deny):
        if reason := refused(PrivacySettings(deny=(word,))):
            yield FieldProblem(("privacy", "deny", number), reason)
    for name, expression in privacy.patterns.items():
        if reason := refused(PrivacySettings(patterns={name: expression})):
            yield FieldProblem(("privacy", "patterns", name), reason)
    for kind, choice in privacy.kinds.items():
        if reason := refused(PrivacySettings(kinds={kind: choice}, patterns=dict.fromkeys(privacy.patterns, "x"))):
            yield FieldProblem(("privacy", "kinds", kind), reason)


def refused(privacy: PrivacySettings) -> str:
    """Why these can't be used; empty where they can."""
    try:
        Firewall(privacy)
    except ConfigError as error:
        return str(error)
    return ""


def left_this_month(audit: Path) -> Departed:
    """What left, by the audit log; of what runs now, nothing is counted yet. Raises AuditError."""
    begin = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return departed(audit, begin, version_of(audit))


@lru_cache(maxsize=1)
def departed(audit: Path, begin: datetime, _version: Version) -> Departed:
    """The same since a moment; every open page asks again and again, and the log is read only once it has changed."""
    ended = [each for each in transfers(read(audit), since=begin) if each.ended and each.ended.bytes_out]
    return Departed(
        requests=len({each.begun.request for each in ended}),
        bytes_out=sum(each.ended.bytes_out for each in ended if each.ended),
    )
