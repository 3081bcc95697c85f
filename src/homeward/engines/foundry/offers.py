"""What the catalogue offers and what this machine can compute on, as values that parent and child share."""

from typing import Literal

import msgspec


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of a model in the catalogue."""

    variant: str
    """Its exact id, with the version."""
    alias: str
    """The model's short name, the same for all its variants."""
    title: str
    publisher: str
    license: str
    license_text: str = ""
    task: str
    device: str
    """`cpu`, `gpu` or `npu`."""
    provider: str = ""
    """The execution provider that it was made for."""
    size_bytes: int
    """To be downloaded, rounded to MiB; 0 where the catalogue does not say."""
    context_tokens: int | None = None
    calls_tools: bool = False
    downloaded: bool = False
    """Its files are here; nobody has verified them."""
    path: str = ""
    """Their folder, where they are here."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An execution provider: ONNX Runtime's word for the part that computes on one kind of device."""

    name: str
    registered: bool
    """Whether its library is here and in use; else it would have to be downloaded."""


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue's answer."""

    offers: tuple[Offer, ...]


class Providers(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's answer."""

    providers: tuple[Provider, ...]


class Progressed(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="progress"):
    """How far a download is."""

    percent: float


class Arrived(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="arrived"):
    """The download's end."""

    path: str


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="stopped"):
    """The download's other end."""

    code: Literal["cancelled", "network", "disk_full", "runtime", "model_not_found"]
    message: str


DownloadEvent = Progressed | Arrived | Stopped
