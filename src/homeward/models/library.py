"""The models that this machine can answer with, and which of them does: the shelf, the starter, and services.

Blocking only where it says so; the running program keeps one of these, asks it at each request, and calls
`refresh` in a thread now and then, for commands in a terminal change the shelf as well.
"""

from collections.abc import Callable, Sequence

import msgspec

from homeward.models.errors import ModelError
from homeward.models.model import Model, name_key
from homeward.models.shelf import Contents, Shelf

STARTER = "starter"
"""The word for the model that Homeward comes with."""


class Choice(msgspec.Struct, frozen=True):
    """A model, and the backend that answers with it: an engine's name, or a service's kind."""

    backend: str
    model: str

    def __str__(self) -> str:
        return f"{self.backend}/{self.model}"


class Library:
    """All models, and the one in use."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        built_in: Sequence[Model] = (),
        wanted: str = "",
        services: Callable[[str], Choice | None] = lambda _: None,
    ) -> None:
        """Making one reads nothing; `refresh` does.

        Args:
            shelf: the models that the user added.
            built_in: models from elsewhere (the configuration, the starter), the best first; on no shelf.
            wanted: the model that the configuration names; it counts until the user chooses another one.
            services: finds a name among the models of services that run on this machine; None where it can't.
        """
        self.shelf = shelf
        self._built_in = tuple(built_in)
        self._wanted = wanted
        self._services = services
        self._contents = Contents()

    def refresh(self) -> bool:
        """Read the shelf again if it changed; whether it did. Blocks. Raises ShelfError."""
        if self.shelf.version() == self._contents.version:
            return False
        self._contents = self.shelf.read()
        return True

    @property
    def models(self) -> tuple[Model, ...]:
        """All models that lie on this machine, those of the shelf first."""
        shelved = {name_key(model.name) for model in self._contents.models}
        return (*self._contents.models, *(each for each in self._built_in if name_key(each.name) not in shelved))

    def find(self, name: str) -> Model | None:
        """The model of this name, alias or exact variant; `starter` is the one that Homeward comes with."""
        key = name_key(name.strip())
        for model in self.models:
            if key in {name_key(each) for each in (model.name, model.alias, model.variant) if each}:
                return model
            if key == STARTER and model.source == "starter":
                return model
        return None

    def get(self, name: str) -> Model:
        """The same. Raises ModelError: there is none."""
        model = self.find(name)
        if model is None:
            names = ", ".join(model.name for model in self.models)
            raise ModelError(f"There is no model called {name} on this machine.", next_step=f"There are: {names}.")
        return model

    def choose(self, name: str) -> Choice | None:
        """What a name stands for: a model's name, alias or variant, or `backend/model`; None for nothing here."""
        backend, slash, rest = name.partition("/")
        model = self.find(name) or (self.find(rest) if slash else None)
        if model is not None and (not slash or backend == model.engine):
            return Choice(model.engine, model.name)
        return self._services(name)

    @property
    def in_use(self) -> Choice | None:
        """The model that answers; None where there is none at all."""
        for name in (self._wanted, self._contents.in_use):
            if name and (choice := self.choose(name)):
                return choice
        best = self._built_in[0] if self._built_in else next(iter(self._contents.models), None)
        return Choice(best.engine, best.name) if best else None

    @property
    def missing(self) -> str:
        """The name of a model that should answer and is not here; empty for none."""
        names = [name for name in (self._wanted, self._contents.in_use) if name]
        return names[0] if names and self.choose(names[0]) is None else ""

    def use(self, name: str) -> Choice:
        """Let this model answer from now on, also after a restart. Blocks. Raises ModelError, ShelfError."""
        choice = self.choose(name)
        if choice is None:
            self.get(name)
            raise AssertionError("`choose` finds what `get` finds")
        self.shelf.use(str(choice))
        self._wanted = ""
        self.refresh()
        return choice
