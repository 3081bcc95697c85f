"""What decides about answers and writes them down, from the settings."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager

from homeward.app.answering import Answerers
from homeward.app.clouds import check_names
from homeward.app.rows import FOUNDRY, LLAMA
from homeward.app.services import KINDS
from homeward.completion import Books, Completer, Firewall, Rules
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings, Settings
from homeward.observability.audit import FILE, Audit, read, transfers
from homeward.observability.spend import Budgeting, Spend
from homeward.protocol.errors import ConfigError
from homeward.routing import unknown_targets


@asynccontextmanager
async def completing(
    settings: Settings, answering: Answerers, spend: Budgeting | None = None
) -> AsyncIterator[Completer]:
    """A completer over everything that can answer. `spend` where it is kept elsewhere; None reads the audit log for it.

    Raises:
        ConfigError: the policy names what is not there, or a kind or pattern can't be used.
        AuditError: the audit log can't be read.
    """
    rules = rules_of(settings.policy, settings.privacy, settings.budget, nameable(settings))
    spend = spend or await spend_so_far(settings)
    audit = Audit(settings.data_dir / FILE)
    answering.consents.note = audit.note
    try:
        yield Completer(answering.backends, rules=rules, books=Books(audit, spend), snapshot=answering.snapshot)
    finally:
        await audit.close()


async def spend_so_far(settings: Settings) -> Spend:
    """What the audit log knows of. Raises AuditError: it can't be read."""
    path = settings.data_dir / FILE
    return Spend(await asyncio.to_thread(lambda: transfers(read(path))))


def check_rules(settings: Settings) -> None:
    """Raises ConfigError as a start with these settings would, for clouds and rules."""
    check_names(settings)
    rules_of(settings.policy, settings.privacy, settings.budget, nameable(settings))


def nameable(settings: Settings) -> tuple[str, ...]:
    """The backends that a rule may name; clouds that are switched off too, or the rules had to change with them."""
    return (LLAMA, FOUNDRY, *KINDS, *settings.clouds)


def rules_of(
    policy: PolicySettings, privacy: PrivacySettings, budget: BudgetSettings, backends: Collection[str]
) -> Rules:
    """The user's rules, once they are known to make sense.

    Raises:
        ConfigError: the policy names what is not there, or a kind or pattern can't be used.
    """
    for rule in policy.rules:
        if unknown := unknown_targets(rule, backends):
            raise ConfigError(
                f'The rule "{rule.name}" names {", ".join(unknown)}, which is neither a place nor a backend.',
                next_step=f"There are the places device, network and cloud, and the backends {', '.join(backends)}.",
            )
    with told_of("[privacy]"):
        firewall = Firewall(privacy)
    for rule in policy.rules:
        with told_of(f'The rule "{rule.name}"'):
            firewall.check(rule.when.findings if isinstance(rule.when.findings, tuple) else ())
    return Rules(policy, budget, firewall)


@contextmanager
def told_of(place: str) -> Iterator[None]:
    """A ConfigError from within begins with where it comes from."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}: {error.message}", next_step=error.next_step) from error
