"""Foundry's catalogue behind a small face: what it offers, downloads, removals, and the devices of this machine.

The SDK's calls block, the first look at the catalogue for seconds where there is no network. The SDK verifies
nothing of what it downloads (measured on 2.2.1): whoever uses a model that came from here checks its files.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foundry_local_sdk import (
    Configuration,
    FoundryLocalException,
    FoundryLocalManager,
    IModel,
    LogLevel,
)

from homeward.engines.child import note
from homeward.engines.foundry.offers import Offer, Provider
from homeward.engines.foundry.refusals import RefusalError, place_in_source

_CHAT_TASKS = frozenset({"chat-completion", "coding", "vision-language-chat"})
_CANCELLED, _NETWORK = 5, 6


class Catalogue:
    """The catalogue, and the folder into which models come. Every method blocks."""

    def __init__(self, settings: dict[str, Any]) -> None:
        folder = Path(settings["state_folder"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        url, region = settings["catalog_url"], settings["catalog_region"]
        self._manager = FoundryLocalManager(
            Configuration(
                app_name="homeward",
                app_data_dir=str(folder),
                model_cache_dir=settings["models_folder"],
                logs_dir=str(folder / "logs"),
                log_level=LogLevel.ERROR,
                catalog_urls=[(url, None)] if url else None,
                catalog_region=region or None,
                additional_settings={
                    # by default 64 ranges at once, none of which is told until it is whole: silence on a slow line
                    "NumModelDownloadThreads": "4",
                    # a catalogue of the user's own: nobody else's is to be asked in its place
                    **({"DisableRegionFallback": "true"} if url else {}),
                },
                disable_nonessential_telemetry=True,
            )
        )

    def offers(self) -> list[Offer]:
        """All variants of language models; none where the catalogue can't be reached and never was."""
        try:
            return [
                _offer(variant)
                for model in self._manager.catalog.list_models()
                for variant in model.variants
                if variant.info.task in _CHAT_TASKS
            ]
        except FoundryLocalException as error:
            raise _told(error) from None

    def download(self, variant: str, progress: Callable[[float], None], cancel: threading.Event) -> str:
        """Bring a variant to this machine, from where an earlier try was cancelled; its folder.

        Args:
            variant: its exact id.
            progress: told the percentage, which never falls.
            cancel: ends the download in good order, so that it can go on later.

        Raises:
            RefusalError: there is no such variant, the network failed, or it was cancelled (499).
        """
        try:
            model = self._variant(variant)
            model.download(progress, cancel)
            return str(model.get_path())
        except FoundryLocalException as error:
            raise _told(error) from None

    def remove(self, variant: str) -> None:
        """Delete the files of a variant that was downloaded. Raises `RefusalError`."""
        try:
            self._variant(variant).remove_from_cache()
        except FoundryLocalException as error:
            raise _told(error) from None

    def providers(self) -> list[Provider]:
        """Execution providers that could be used here besides the CPU's; none on a machine without GPU and NPU."""
        try:
            found = self._manager.discover_eps()
        except FoundryLocalException as error:
            raise _told(error) from None
        return [Provider(name=each.name, registered=each.is_registered) for each in found]

    def _variant(self, variant: str) -> IModel:
        model = self._manager.catalog.get_model_variant(variant)
        if model is None:
            raise RefusalError(404, f"The catalogue has no model “{variant}”.", code="model_not_found")
        return model


def _offer(variant: IModel) -> Offer:
    info = variant.info
    cached = variant.is_cached
    device = info.runtime.device_type if info.runtime else None
    return Offer(
        variant=info.id,
        alias=info.alias,
        title=info.display_name or info.alias,
        publisher=info.publisher or "",
        license=info.license or "",
        license_text=info.license_description or "",
        task=info.task or "",
        device=device.lower() if device else "cpu",
        provider=info.runtime.execution_provider if info.runtime else "",
        size_bytes=(info.file_size_mb or 0) << 20,
        context_tokens=info.context_length or None,
        calls_tools=bool(info.supports_tool_calling),
        downloaded=cached,
        path=str(variant.get_path()) if cached else "",
    )


def _told(error: FoundryLocalException) -> RefusalError:
    code = getattr(error, "error_code", None)
    note(f"runtime error {code} at {place_in_source(str(error))}")
    if code == _CANCELLED:
        return RefusalError(499, "The download was cancelled.", code="cancelled")
    if "errno 28" in str(error):
        return RefusalError(507, "The disk is full. What has arrived is kept.", code="disk_full")
    if code == _NETWORK:
        message = "The catalogue's storage could not be reached, or refused. What has arrived is kept."
        return RefusalError(502, message, code="network")
    return RefusalError(500, "Foundry Local could not do this; its log on this machine says why.", code="runtime")
