"""What clients of the gateway can ask for by name."""

from collections.abc import Iterator

from homeward.app.answering import Answerers, sees_images
from homeward.app.rows import LLAMA
from homeward.gateway.names import ListedModel
from homeward.models.library import Choice
from homeward.models.model import Model


class ModelNames:
    """All that answers, from what is known at this moment: nobody is asked."""

    def __init__(self, answering: Answerers) -> None:
        self._answering = answering

    def models(self) -> Iterator[ListedModel]:
        """The model in use, the others of this device, then what answers elsewhere."""
        library = self._answering.library
        in_use = library.in_use
        local = [(Choice(model.engine, model.name), model) for model in library.models]
        if in_use is not None and not any(choice == in_use for choice, _ in local):
            yield ListedModel(
                backend=in_use.backend,
                model=in_use.model,
                place="device",
                calls_tools=True,
                sees_images=sees_images(in_use),
            )
        for choice, model in sorted(local, key=lambda each: each[0] != in_use):
            if not self._answering.why_not(choice):
                yield self._local(model)
        for name, backend in self._answering.clouds.items():
            row = backend.row
            yield ListedModel(
                backend=name,
                model=row.model,
                place="network" if row.place == "network" else "cloud",
                context_tokens=row.context_tokens,
                calls_tools=True,
                sees_images=True,
            )

    def find(self, name: str) -> tuple[str, str] | None:
        """Backend and model for a model's name, alias or variant."""
        choice = self._answering.library.choose(name)
        return None if choice is None else (choice.backend, choice.model)

    def _local(self, model: Model) -> ListedModel:
        settings = self._answering.settings
        runs_gguf = model.engine == LLAMA
        window = settings.llama.context_tokens if runs_gguf else settings.foundry.context_tokens
        return ListedModel(
            backend=model.engine,
            model=model.name,
            place="device",
            created=max(0, int(model.added_at.timestamp())),
            context_tokens=min(window, model.context_tokens or window),
            calls_tools=runs_gguf,  # llama.cpp has a way for every template, Foundry Local for some models alone
        )
