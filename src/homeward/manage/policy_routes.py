"""The policy page and its API over HTTP.

    GET   /policy           the page; its files are among those of the models page
    GET   /policy/state     PolicyState
    GET   /policy/words     what the page says in the program's own words; `?language=ko` for Korean
    POST  /policy           the three tables of settings: they count from now on; the new PolicyState
    POST  /policy/consent   whether words may go to a backend; the new PolicyState
    POST  /policy/explain   a prompt and a mode; Explanation

Errors are those of `http`. No prompt is kept, logged, or part of an address.
"""

from typing import Annotated, TypeVar

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from homeward.config.table import Table
from homeward.manage.assets import POLICY_PAGE, Assets
from homeward.manage.governor import Governor, Language
from homeward.manage.http import FieldProblem, FieldsError, body_of, json, told
from homeward.manage.policy_words import policy_words
from homeward.protocol.chat import Mode

MAX_BYTES = 1_000_000

AnyTable = TypeVar("AnyTable", bound=Table)


class Draft(msgspec.Struct):
    """Settings as the page has them."""

    policy: msgspec.Raw
    privacy: msgspec.Raw
    budget: msgspec.Raw


class Agreement(msgspec.Struct):
    """Whether words may go to a backend."""

    backend: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    given: bool


class Prompt(msgspec.Struct):
    """What somebody might ask."""

    prompt: Annotated[str, msgspec.Meta(min_length=1)]
    mode: Mode = "auto"
    language: Language = "en"


def policy_routes(governor: Governor) -> list[BaseRoute]:
    """All routes but those of the page's files, which `model_routes` has. Reads them."""
    assets = Assets()

    async def page(_request: Request) -> Response:
        return assets.page(POLICY_PAGE)

    async def state(_request: Request) -> Response:
        return json(await governor.state())

    async def words(request: Request) -> Response:
        return json(policy_words(request.query_params.get("language", "en")))

    async def save(request: Request) -> Response:
        draft = await body_of(request, Draft, max_bytes=MAX_BYTES)
        await governor.save(*settings_of(draft))
        return json(await governor.state())

    async def consent(request: Request) -> Response:
        agreement = await body_of(request, Agreement, max_bytes=MAX_BYTES)
        await governor.consent(agreement.backend, given=agreement.given)
        return json(await governor.state())

    async def explain(request: Request) -> Response:
        asked = await body_of(request, Prompt, max_bytes=MAX_BYTES)
        return json(await governor.explain(asked.prompt, asked.mode, asked.language))

    return [
        Route("/policy", page, methods=["GET"]),
        Route("/policy", told(save), methods=["POST"]),
        Route("/policy/state", told(state)),
        Route("/policy/words", told(words)),
        Route("/policy/consent", told(consent), methods=["POST"]),
        Route("/policy/explain", told(explain), methods=["POST"]),
    ]


def settings_of(draft: Draft) -> tuple[PolicySettings, PrivacySettings, BudgetSettings]:
    """The settings as values. Raises FieldsError: all that is wrong with them."""
    problems: list[FieldProblem] = []

    def table(name: str, kind: type[AnyTable]) -> AnyTable:
        try:
            return kind.model_validate_json(bytes(getattr(draft, name)))
        except ValidationError as error:
            # Dropped as cause: it holds what the user typed.
            problems.extend(FieldProblem((name, *each["loc"]), sentence(each)) for each in error.errors())
            return kind()

    tables = table("policy", PolicySettings), table("privacy", PrivacySettings), table("budget", BudgetSettings)
    if problems:
        raise FieldsError(tuple(problems))
    return tables


def sentence(problem: ErrorDetails) -> str:
    """What is wrong with one value, without the value."""
    match problem["type"]:
        case "missing" | "too_short" | "string_too_short":
            return "Something is missing here."
        case "string_too_long":
            return "This is too long."
        case "greater_than_equal":
            return "This can't be less than 0."
        case "value_error":
            reason = str(problem["ctx"]["error"])
            return f"{reason[:1].upper()}{reason[1:]}."
        case _:
            return "This is not possible here."
