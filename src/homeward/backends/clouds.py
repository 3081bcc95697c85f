"""A row of `[clouds.NAME]` as a backend: its address, its prices, how it is located."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import quote, urlencode, urlsplit

from homeward.backends.credentials import Credential
from homeward.backends.row import BackendRow, Deadlines, Locate
from homeward.config.clouds import CloudSettings
from homeward.protocol.address import Address
from homeward.protocol.errors import BackendStatusError
from homeward.protocol.place import Place

OPENAI_URL = "https://api.openai.com/v1"


def cloud_row(name: str, cloud: CloudSettings) -> BackendRow:
    """What is known about it without asking it."""
    return BackendRow(
        name=name,
        place=Place(cloud.place),
        deadlines=Deadlines(
            connect_seconds=cloud.connect_seconds,
            first_token_seconds=cloud.first_token_seconds,
            event_seconds=cloud.event_seconds,
            total_seconds=cloud.total_seconds,
        ),
        max_tokens_field=cloud.max_tokens_field,
        at_a_time=cloud.at_a_time,
        model=cloud.model,
        host=urlsplit(base_url(cloud)).hostname or "",
        context_tokens=cloud.context_tokens,
        input_price=cloud.input_price,
        cached_price=cloud.cached_price,
        output_price=cloud.output_price,
    )


def cloud_address(cloud: CloudSettings, model: str = "", secret: str = "") -> Address:
    """Where this model of it answers; without a name, the one that the row names."""
    model = model or cloud.model
    by_deployment = cloud.kind == "azure" and cloud.api_version
    url = base_url(cloud)
    return Address(
        url=f"{url}/deployments/{quote(model, safe='')}" if by_deployment else url,
        query=urlencode({"api-version": cloud.api_version}) if by_deployment else "",
        api_key=secret,
        key_header="api-key" if cloud.kind == "azure" and cloud.auth == "key" else "Authorization",
        model=model,
        context_tokens=cloud.context_tokens,
    )


def base_url(cloud: CloudSettings) -> str:
    """Its base address: what the user gave, and what goes without saying."""
    url = cloud.url.rstrip("/")
    if cloud.kind == "azure":
        root = url.removesuffix("/v1").removesuffix("/openai")
        return f"{root}/openai" if cloud.api_version else f"{root}/openai/v1"
    if not url:
        return OPENAI_URL
    return url if urlsplit(url).path else f"{url}/v1"


def locate_cloud(cloud: CloudSettings, credential: Credential | None) -> Locate:
    """Its address with the key or token of the moment; one that was refused is looked for anew the next time.

    Entering raises `BackendKeyError`.
    """

    @asynccontextmanager
    async def lease(model: str) -> AsyncIterator[Address]:
        secret = await credential.secret() if credential else ""
        try:
            yield cloud_address(cloud, model, secret)
        except BackendStatusError as error:
            if credential and error.upstream_status == 401:
                credential.forget()
            raise

    def locate(model: str) -> AbstractAsyncContextManager[Address]:
        return lease(model)

    return locate
