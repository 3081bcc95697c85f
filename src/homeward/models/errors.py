"""What goes wrong in here.

ModelError                        this cannot be used as a model, or there is no such model
├── DamagedModelError             its files are not whole
└── VerificationCancelledError    nobody waits for the result any more
ShelfError                        the list of models cannot be read or written
CatalogueError                    Foundry's catalogue could not be asked, or a download from it ended
└── CatalogueFellError            the process that asks it ended
"""

from homeward.models.problem import Problem
from homeward.protocol.errors import HomewardError


class ModelError(HomewardError):
    """The caller named something that is no usable model, or no model that is known here."""

    code = "model_unusable"
    status = 400
    blame = "caller"


class DamagedModelError(ModelError):
    """A model's files are not whole."""

    code = "model_damaged"

    def __init__(self, name: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            f"The model {name} is not whole. {problems[0].sentence}",
            next_step="Get the model again.",
            detail=", ".join(f"{problem.file}: {problem.kind}" for problem in problems),
        )
        self.problems = problems


class VerificationCancelledError(ModelError):
    """The caller asked to stop before all files were read."""

    code = "verification_cancelled"

    def __init__(self, name: str) -> None:
        super().__init__(f"The check of the model {name} was cancelled.", next_step="Start it again when it suits.")


class ShelfError(HomewardError):
    """The list of models cannot be read or written."""

    code = "shelf_unavailable"
    status = 503


class CatalogueError(HomewardError):
    """Foundry's catalogue could not be asked, or a download from it ended."""

    code = "catalogue_unavailable"
    status = 502
    blame = "backend"


class CatalogueFellError(CatalogueError):
    """The process that talks to the catalogue ended in the middle; what had arrived is kept."""
