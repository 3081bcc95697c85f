"""What proves to a cloud who asks: a key, or a token of Microsoft Entra ID."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from homeward.backends.stored_keys import read_key
from homeward.backends.threads import in_thread
from homeward.protocol.errors import BackendKeyError

KEYRING_SECONDS = 30.0
"""For the keyring, which may ask the user to unlock it."""

ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"
ENTRA_SECONDS = 30.0
"""For all the ways in which `azure-identity` tries to sign in; Azure's command line alone may take 10 s."""
REFRESH_SECONDS = 300.0
"""A token is replaced so long before it expires."""


class Credential(Protocol):
    """What a cloud asks for, as late as it is needed."""

    async def secret(self) -> str:
        """The key or token. Raises `BackendKeyError` where there is none."""

    def forget(self) -> None:
        """It was refused: the next time it is looked for anew."""


class ApiKey:
    """A key from a variable or the configuration, else from the system's keyring."""

    def __init__(self, backend: str, given: str, variable: str) -> None:
        """`given` is the key where it is known already, `variable` the one to name where there is none."""
        self._backend = backend
        self._given = given
        self._variable = variable
        self._stored = ""
        self._reading = asyncio.Lock()

    async def secret(self) -> str:
        """The key."""
        if self._given:
            return self._given
        async with self._reading:
            if not self._stored:
                self._stored = await self._read()
        return self._stored

    def forget(self) -> None:
        """The keyring is asked anew, where another one may have been stored."""
        self._stored = ""

    async def _read(self) -> str:
        try:
            key = await in_thread(lambda: read_key(self._backend), KEYRING_SECONDS)
        except TimeoutError:
            key = ""
        if not key:
            raise BackendKeyError(
                f"There is no key for the backend '{self._backend}'.",
                next_step=f"Set the variable {self._variable}, or run `homeward backends key {self._backend}`.",
            )
        return key


class Token(Protocol):
    """What `azure-identity` gives."""

    @property
    def token(self) -> str:
        """The secret."""

    @property
    def expires_on(self) -> int:
        """Seconds since 1970."""


class TokenSource(Protocol):
    """A credential of `azure-identity`."""

    def get_token(self, *scopes: str) -> Token:
        """Blocks, asks Microsoft Entra ID, and raises what it likes."""


class EntraToken:
    """A token of whoever is signed in on this machine: Azure's command line, a managed identity, variables."""

    def __init__(
        self,
        backend: str,
        source: Callable[[], TokenSource] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        seconds: float = ENTRA_SECONDS,
    ) -> None:
        """`source` makes the credential when the first token is wanted; by default that of `azure-identity`."""
        self._backend = backend
        self._make_source = source or default_source
        self._source: TokenSource | None = None
        self._clock = clock
        self._seconds = seconds
        self._token: Token | None = None
        self._refreshing = asyncio.Lock()

    async def secret(self) -> str:
        """The token, a new one where it expires soon; requests that come together wait for one refresh."""
        async with self._refreshing:
            token = self._token
            if token is None or self._clock() >= token.expires_on - REFRESH_SECONDS:
                token = self._token = await self._refresh()
        return token.token

    def forget(self) -> None:
        """A new one is asked for."""
        self._token = None

    async def _refresh(self) -> Token:
        try:
            return await in_thread(self._ask, self._seconds)
        except ImportError:
            raise self._no_token(
                "The package `azure-identity` is not installed.", "Install it with `pip install homeward[azure]`."
            ) from None
        except TimeoutError:
            raise self._no_token(
                f"Microsoft Entra ID gave no token within {self._seconds:g} s.", "Check the network, then try again."
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever Azure's libraries raise; its text may hold an account
            raise self._no_token(
                "Nobody is signed in to Azure on this machine, or the sign-in has expired.",
                "Sign in with `az login`.",
                detail=type(error).__name__,
            ) from None

    def _ask(self) -> Token:
        if self._source is None:
            self._source = self._make_source()
        return self._source.get_token(ENTRA_SCOPE)

    def _no_token(self, why: str, next_step: str, *, detail: str = "") -> BackendKeyError:
        return BackendKeyError(
            f"The backend '{self._backend}' can't be asked. {why}", next_step=next_step, detail=detail
        )


def default_source() -> TokenSource:
    """Whatever way to sign in this machine has. Raises `ImportError`."""
    from azure.identity import DefaultAzureCredential

    logging.getLogger("azure").setLevel(logging.ERROR)  # it warns of each way that this machine does not have
    return DefaultAzureCredential()
