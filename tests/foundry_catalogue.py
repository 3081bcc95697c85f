"""Foundry's model catalogue, registry and blob storage on loopback; the real SDK lists and downloads from it.

`async with serving(model) as catalogue`, or `with serving_in_thread(model) as catalogue` where the test blocks.
A process that uses the SDK starts with `catalogue.environment()` and passes `**catalogue.configuration()` to
`Configuration`. `catalogue.faults` says what goes wrong, `catalogue.requests` what was asked.

The SDK asks the catalogue and the storage over HTTP, but always builds the registry's address as
"https://" + region + ".api.azureml.ms/…". So the region given to it is this server's address up to a "?",
which makes the rest a query; and the certificate is trusted through SSL_CERT_FILE. Other regions, which are
real hosts, are switched off.
"""

import asyncio
import json
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import unquote
from xml.sax.saxutils import escape

import msgspec
from aiohttp import web
from anyio.from_thread import start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Part = Literal["catalogue", "registry", "listing", "size", "bytes"]
"""What a request asks for; each download asks for them in this order, the last two once or more per file."""

DATE = "Mon, 01 Jan 2024 00:00:00 GMT"
BLOB_HEADERS = {"x-ms-creation-time": DATE, "x-ms-server-encrypted": "true"}
"""Without either of them the SDK fails with "map::at"."""
FILTERS = {  # what the SDK filters by, and the attribute of CatalogueModel
    "name": "name",
    "annotations/tags/alias": "alias",
    "properties/variantInfo/variantMetadata/device": "device",
    "properties/variantInfo/variantMetadata/executionProvider": "execution_provider",
}
PIECE_BYTES = 64 * 1024


class CatalogueModel(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of files as a variant in the catalogue."""

    folder: Path
    name: str = "toy-generic-cpu"
    version: int = 1
    alias: str = "toy"
    publisher: str = "Example"
    display_name: str = "Toy"
    license: str = "MIT"
    license_description: str = "Do as you like."
    task: str = "chat-completion"
    capabilities: tuple[str, ...] = ("tool-calling",)
    context_length: int = 2048
    max_output_tokens: int = 1024
    device: str = "cpu"
    execution_provider: str = "CPUExecutionProvider"

    @property
    def container(self) -> str:
        """Its place in the storage."""
        return f"{self.name}-{self.version}"

    @property
    def asset_id(self) -> str:
        """What the registry is asked for."""
        return f"azureml://registries/example/models/{self.name}/versions/{self.version}"

    def files(self) -> dict[str, Path]:
        """Blob names, with "/" between folders, and the files behind them."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path for path in paths}

    def entry(self) -> dict[str, Any]:
        """Its entry as the catalogue sends it: only fields that the SDK reads."""
        size = sum(path.stat().st_size for path in self.files().values())
        variant = {
            "modelType": "ONNX",
            "device": self.device,
            "executionProvider": self.execution_provider,
            "fileSizeBytes": size,
        }
        return {
            "assetId": self.asset_id,
            "annotations": {
                "tags": {"alias": self.alias},
                "systemCatalogData": {
                    "publisher": self.publisher,
                    "displayName": self.display_name,
                    "license": self.license,
                    "licenseDescription": self.license_description,
                    "inferenceTasks": [self.task],
                    "modelCapabilities": list(self.capabilities),
                    "textContextWindow": self.context_length,
                    "maxOutputTokens": self.max_output_tokens,
                    "inputModalities": ["text"],
                    "outputModalities": ["text"],
                },
            },
            "properties": {
                "name": self.name,
                "version": self.version,
                "creationContext": {"createdTime": "2024-01-15T10:30:00Z"},
                "variantInfo": {
                    "parents": [{"assetId": f"azureml://registries/example/models/{self.alias}/versions/1"}],
                    "variantMetadata": variant,
                },
            },
        }


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One way to go wrong, and where.

    status   answer with `status` and, where given, Retry-After
    hang     send what stands before `from_byte`, then nothing more
    cut      the same, then close the connection as if all had been sent
    reset    the same, then reset it
    corrupt  flip every bit from `from_byte` on
    zeros    send zeros from `from_byte` on
    short    the storage holds only the bytes before `from_byte`, though the listing shows the whole file
    """

    name: Literal["status", "hang", "cut", "reset", "corrupt", "zeros", "short"]
    part: Part = "bytes"
    file: str = "model.onnx"
    """Which file, where part is size or bytes."""
    from_byte: int = 0
    """Offset in the file; requests for bytes before it alone are answered well."""
    times: int | None = None
    """How many requests it strikes; None: all."""
    status: int = 500
    retry_after_seconds: int | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came."""

    part: Part
    file: str = ""
    first_byte: int = 0
    text: str = ""
    """The body."""


@dataclass
class FoundryCatalogue:
    """What it serves, how it misbehaves and what it saw; all may be read and changed while it runs."""

    models: tuple[CatalogueModel, ...]
    certificate: Path
    faults: list[Fault] = field(default_factory=list)
    bytes_per_second: float | None = None
    """Pace of each response with bytes of a file; None: as fast as it goes."""
    requests: list[Asked] = field(default_factory=list)
    http: str = ""
    https: str = ""
    """Host and port."""
    _struck: Counter[Fault] = field(default_factory=Counter)
    _connections: set[asyncio.WriteTransport] = field(default_factory=set)

    @property
    def url(self) -> str:
        """The catalogue's address."""
        return f"http://{self.http}/asset-gallery/v1.0/models"

    def configuration(self) -> dict[str, Any]:
        """Arguments for the SDK's `Configuration`."""
        return {
            "catalog_urls": [(self.url, None)],
            "catalog_region": f"{self.https}/registry?rest=",
            "additional_settings": {"DisableRegionFallback": "true"},
        }

    def environment(self) -> dict[str, str]:
        """Variables for the process that uses the SDK, set before it starts."""
        return {"CI": "true", "SSL_CERT_FILE": str(self.certificate)}

    def asked_for(self, part: Part, file: str = "") -> list[Asked]:
        """The requests for this part, in order."""
        return [asked for asked in self.requests if asked.part == part and asked.file == file]

    def routes(self) -> list[web.RouteDef]:
        """All paths; the registry's is the one behind HTTPS."""
        return [
            web.post("/asset-gallery/v1.0/models", self._catalogue),
            web.get("/registry", self._registry),
            web.get("/blobs/{container}", self._listing),
            web.get("/blobs/{container}/{file:.+}", self._blob),
        ]

    def cut_off(self) -> None:
        """Ends every connection."""
        for connection in self._connections:
            connection.abort()

    async def _catalogue(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(part="catalogue", text=await request.text())
        filters = {one["field"]: one["values"] for one in json.loads(asked.text)["filters"]}
        entries = [model.entry() for model in _matching(self.models, filters)]
        return await self._answer(request, asked, msgspec.json.encode({"value": entries}))

    async def _registry(self, request: web.Request) -> web.StreamResponse:
        asset_id = unquote(request.query_string.partition("assetId=")[2])
        model = next(model for model in self.models if model.asset_id == asset_id)
        place = {"blobSasUri": f"http://{self.http}/blobs/{model.container}?sig=none"}
        return await self._answer(request, Asked(part="registry", text=asset_id), msgspec.json.encode(place))

    async def _listing(self, request: web.Request) -> web.StreamResponse:
        blobs = "".join(_listed(name, path.stat().st_size) for name, path in self._files(request).items())
        listing = f'<?xml version="1.0"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>'
        return await self._answer(request, Asked(part="listing"), listing.encode())

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        """The size of a file (HEAD), or a range of its bytes."""
        file = request.match_info["file"]
        content = self._files(request)[file].read_bytes()
        short = next((fault.from_byte for fault in self.faults if (fault.name, fault.file) == ("short", file)), None)
        content = content[:short]
        if request.method == "HEAD":
            return await self._answer(request, Asked(part="size", file=file), content, BLOB_HEADERS)
        first, last = map(int, request.headers["x-ms-range"].removeprefix("bytes=").split("-"))
        headers = {**BLOB_HEADERS, "Content-Range": f"bytes {first}-{last}/{len(content)}"}
        asked = Asked(part="bytes", file=file, first_byte=first)
        return await self._answer(request, asked, content[first : last + 1], headers, status=206)

    def _files(self, request: web.Request) -> dict[str, Path]:
        container = request.match_info["container"]
        return next(model for model in self.models if model.container == container).files()

    async def _answer(
        self,
        request: web.Request,
        asked: Asked,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> web.StreamResponse:
        self.requests.append(asked)
        if request.transport is not None:
            self._connections.add(request.transport)
        fault = self._fault_for(asked, asked.first_byte + len(body))
        if fault is not None and fault.name == "status":
            after = fault.retry_after_seconds
            return web.Response(status=fault.status, headers={"Retry-After": str(after)} if after else {})
        good = len(body) if fault is None else max(0, fault.from_byte - asked.first_byte)
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(body)
        with suppress(ConnectionError):  # who asked has gone
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            await self._send(response, body[:good])
            if fault is not None:
                await self._send(response, await _wrong(request, fault, body[good:]))
        return response

    def _fault_for(self, asked: Asked, end: int) -> Fault | None:
        for fault in self.faults:
            meant = fault.part == asked.part and (not asked.file or fault.file == asked.file)
            left = fault.times is None or self._struck[fault] < fault.times
            if meant and left and fault.from_byte < end and fault.name != "short":
                self._struck[fault] += 1
                return fault
        return None

    async def _send(self, response: web.StreamResponse, body: bytes) -> None:
        for start in range(0, len(body), PIECE_BYTES):
            piece = body[start : start + PIECE_BYTES]
            await response.write(piece)
            if self.bytes_per_second is not None:
                await asyncio.sleep(len(piece) / self.bytes_per_second)


async def _wrong(request: web.Request, fault: Fault, rest: bytes) -> bytes:
    """What comes instead of the rest; nothing comes where the connection hangs or ends."""
    match fault.name:
        case "corrupt":
            return bytes(byte ^ 0xFF for byte in rest)
        case "zeros":
            return bytes(len(rest))
        case "hang":
            await asyncio.Event().wait()
    transport = request.transport
    if transport is not None:
        if fault.name == "reset":
            linger = struct.pack("ii", 1, 0)  # closing then sends RST
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.close()
    return b""


def _matching(models: Iterable[CatalogueModel], filters: dict[str, list[str]]) -> list[CatalogueModel]:
    """Those that all the filters let through; fields that every model here fits are not looked at."""
    found = list(models)
    for field_name, attribute in FILTERS.items():
        if field_name in filters:
            found = [model for model in found if getattr(model, attribute) in filters[field_name]]
    if filters.get("labels") == ["latest"]:
        newest = {model.name: model.version for model in sorted(found, key=lambda model: model.version)}
        found = [model for model in found if newest[model.name] == model.version]
    return found


def _listed(name: str, size: int) -> str:
    properties = f"<Last-Modified>{DATE}</Last-Modified><Etag>0x1</Etag><Content-Length>{size}</Content-Length>"
    return f"<Blob><Name>{escape(name)}</Name><Properties>{properties}</Properties></Blob>"


def write_certificate(target: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    target.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return target


@asynccontextmanager
async def serving(*models: CatalogueModel, certificate: Path | None = None) -> AsyncIterator[FoundryCatalogue]:
    """On two free ports of 127.0.0.1, in this event loop; answers still running at the end are cut.

    A process that asks more than one server needs the same `certificate` for all: the SDK reads it once.
    """
    with TemporaryDirectory(prefix="foundry-catalogue-") as folder:
        certificate = certificate or write_certificate(Path(folder) / "certificate.pem")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        catalogue = FoundryCatalogue(models=models, certificate=certificate)
        app = web.Application()
        app.add_routes(catalogue.routes())
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
        await runner.setup()
        try:
            for context in (None, tls):
                await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            catalogue.http, catalogue.https = (f"{host}:{port}" for host, port in runner.addresses)
            yield catalogue
        finally:
            catalogue.cut_off()
            await runner.cleanup()


@contextmanager
def serving_in_thread(*models: CatalogueModel, certificate: Path | None = None) -> Iterator[FoundryCatalogue]:
    """The same in an event loop of its own, for tests that block."""
    server = serving(*models, certificate=certificate)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(server) as catalogue:
        yield catalogue
