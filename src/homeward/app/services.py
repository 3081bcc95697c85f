"""Model services that run on this machine beside Homeward, as backends: searched for when asked, used when chosen."""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast, get_args

import structlog

from homeward.backends import Locate
from homeward.config import ServiceSettings
from homeward.discovery import (
    Discovery,
    FoundService,
    Kind,
    ModelNotFound,
    NotFound,
    discover,
    discover_kind,
    ensure_loaded,
    resolve_model,
)
from homeward.models.errors import ModelError
from homeward.models.library import Choice
from homeward.protocol.address import Address
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendTimeoutError,
    BackendUnreachableError,
    NoBackendError,
)

log = structlog.get_logger(__name__)

KINDS: tuple[Kind, ...] = get_args(Kind)
THE_USERS = "service"
"""Stands for the service at the user's address, whatever it is."""
DEFAULT_MODEL = "phi-4-mini"
"""What the sample that Homeward grew from asked for where nothing else was said."""


class Services:
    """What was found on this machine, and where it was last."""

    def __init__(self, settings: ServiceSettings, *, own_url: str = "") -> None:
        self._settings = settings
        self._own_urls = (own_url,) if own_url else ()
        self.searching = False
        self.discovery: Discovery | None = None
        """What the last search found; None before the first one."""
        self._known: dict[str, FoundService] = {}
        self._users: FoundService | None = None

    async def search(self) -> Discovery:
        """Look everywhere. Nothing is started, and nothing but this machine is asked."""
        self.searching = True
        try:
            found = await discover(
                base_url=self._settings.url or None,
                api_key=self._api_key,
                environment=os.environ,
                own_urls=self._own_urls,
            )
        finally:
            self.searching = False
        self.discovery = found
        self._known = {service.kind: service for service in reversed(found.found)}
        if self._settings.url and found.found:
            self._users = found.found[0]
        return found

    def choose(self, name: str) -> Choice | None:
        """What a name means: `kind/model`, `service`, or a model of the service at the user's address."""
        kind, slash, model = name.partition("/")
        if slash and kind in KINDS:
            service = self._known.get(kind)
            wanted = resolve_model(service, model) if service else model
            return None if isinstance(wanted, ModelNotFound) else Choice(kind, wanted)
        if self._users is None:
            return None
        if name == THE_USERS:
            return self.choose(DEFAULT_MODEL) or self._first_of(self._users)
        wanted = resolve_model(self._users, name)
        return None if isinstance(wanted, ModelNotFound) else Choice(self._users.kind, wanted)

    async def check(self, name: str) -> Choice:
        """The same for a name that must be right: the service is found, and asked whether it has the model.

        Raises:
            ModelError: it isn't there, or has no such model.
        """
        kind, _, model = name.partition("/")
        service = await self._find(cast("Kind", kind))
        if isinstance(service, NotFound):
            raise ModelError(service.reason, next_step="Start it, then search again.")
        wanted = resolve_model(service, model)
        if isinstance(wanted, ModelNotFound):
            options = f"It has: {', '.join(wanted.candidates)}." if wanted.candidates else "Download one there first."
            raise ModelError(wanted.reason, next_step=options)
        return Choice(kind, wanted)

    def locate(self, kind: Kind) -> Locate:
        """The address of a service of this kind; found again where it is no longer, for ports change."""

        @asynccontextmanager
        async def lease(model: str) -> AsyncIterator[Address]:
            service, wanted = await self._having(kind, model)
            key = self._api_key if service == self._users else ""
            try:
                loaded = await ensure_loaded(service, wanted, api_key=key)
                tokens = next((each.context_tokens for each in service.models if each.id == wanted), None)
                yield Address(url=service.url, api_key=key, model=loaded, context_tokens=tokens)
            except (BackendUnreachableError, BackendDisconnectedError, BackendTimeoutError):
                self._known.pop(kind, None)
                raise

        def locate(model: str) -> AbstractAsyncContextManager[Address]:
            return lease(model)

        return locate

    async def _having(self, kind: Kind, model: str) -> tuple[FoundService, str]:
        """A service of this kind that runs this model itself, and the model's exact name; looked for anew where not.

        A model that the service passes on to another machine is none of its own: this backend's place is the device.

        Raises:
            BackendUnreachableError: there is no such service.
            NoBackendError: it has no such model.
        """
        known = self._known.get(kind)
        if known is not None and not isinstance(wanted := resolve_model(known, model), ModelNotFound):
            return known, wanted
        service = await self._find(kind)
        if isinstance(service, NotFound):
            raise BackendUnreachableError(service.reason, next_step="Start it, or choose another model.")
        wanted = resolve_model(service, model)
        if isinstance(wanted, ModelNotFound):
            raise NoBackendError(wanted.reason, next_step="Choose another model.")
        return service, wanted

    async def _find(self, kind: Kind) -> FoundService | NotFound:
        found = await discover_kind(
            kind,
            base_url=self._settings.url or None,
            api_key=self._api_key,
            environment=os.environ,
            own_urls=self._own_urls,
        )
        log.info("service.looked_for", kind=kind, found=isinstance(found, FoundService))
        if isinstance(found, FoundService):
            self._known[kind] = found
        return found

    @staticmethod
    def _first_of(service: FoundService) -> Choice | None:
        models = sorted(service.models, key=lambda model: model.loaded is not True)
        return Choice(service.kind, models[0].id) if models else None

    @property
    def _api_key(self) -> str:
        return self._settings.api_key.get_secret_value()
