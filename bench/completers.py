"""Completers for benchmarks: Homeward's whole path but the page."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from homeward.backends import Backend
from homeward.completion import Books, Completer, Firewall, Rules
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from homeward.observability.audit import FILE, Audit
from homeward.observability.spend import Spend
from homeward.routing import BackendView, Snapshot


@asynccontextmanager
async def completing(
    backends: Mapping[str, Backend], views: tuple[BackendView, ...], folder: Path
) -> AsyncIterator[Completer]:
    """A completer with the rules that hold where nothing is configured."""
    rules = Rules(PolicySettings(), BudgetSettings(), Firewall(PrivacySettings()))
    audit = Audit(folder / FILE)
    try:
        yield Completer(backends, rules=rules, books=Books(audit, Spend()), snapshot=lambda *_: Snapshot(views))
    finally:
        await audit.close()
