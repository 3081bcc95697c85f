"""From the name that a user knows to the id that a service wants.

Foundry's ids name a variant of a model, `Phi-4-mini-instruct-generic-cpu:5`, while its users know the alias,
`phi-4-mini`, which its chat refuses. Where a service tells its aliases, only those count; where it doesn't, the
alias is looked for in the id.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from homeward.discovery.found import TITLES, FoundService, ModelNotFound, ServiceModel

MOST_CANDIDATES = 20

_VERSION = re.compile(r":(?P<number>\d{1,9}|latest)$")
_VARIANT = re.compile(
    r"(?P<provider>(?:-(?:generic|cuda|trt|rtx|trtrtx|tensorrt|openvino|qnn|vitis|vitisai|webgpu|migraphx))*)"
    r"-(?P<device>cpu|gpu|npu)$",
    re.IGNORECASE,
)
_TUNING = re.compile(r"-(?:instruct|chat|it)$", re.IGNORECASE)
_DEVICES = {"npu": 2, "gpu": 1, "cpu": 0}
"""Foundry's own order of preference."""


class ModelName(msgspec.Struct, frozen=True):
    """An id taken apart."""

    variant: str
    """Without the version."""
    name: str
    """Without version, device and publisher."""
    version: int = 0
    preference: tuple[int, int] = (-1, 0)
    """Greater for a device that Foundry prefers, and for one maker's device over any maker's."""

    @property
    def family(self) -> str:
        """Without what says how the model was tuned; so are Foundry's aliases made, more often than not."""
        return _TUNING.sub("", self.name)


def resolve_model(service: FoundService, wanted: str) -> str | ModelNotFound:
    """The id of `service` that the user's word means: an id, an alias, or the beginning of a name, up to a border.

    Of several variants of one model it is a loaded one, else one for NPU or GPU, else the newest. Names of several
    models are never decided between.
    """
    wanted = wanted.strip()
    matches = _matches(service.models, wanted)
    if not matches:
        return _not_found(service, wanted)
    if len({_identity(model) for model in matches}) > 1:
        reason = f"“{wanted}” can mean several models of {TITLES[service.kind]}."
        return ModelNotFound(wanted=wanted, reason=reason, candidates=_ids(matches))
    return max(matches, key=_rank).id


def take_apart(model_id: str) -> ModelName:
    """The parts of an id that have a meaning; ids of other services than Foundry have few of them."""
    version = _VERSION.search(model_id)
    variant = model_id[: version.start()] if version else model_id
    name = variant.rpartition("/")[2]
    number = int(version["number"]) if version and version["number"].isdigit() else 0
    device = _VARIANT.search(name)
    if device is None:
        return ModelName(variant, name, number)
    preference = (_DEVICES[device["device"].lower()], 0 if "generic" in device["provider"].lower() else 1)
    return ModelName(variant, name[: device.start()], number, preference)


def _matches(models: Sequence[ServiceModel], wanted: str) -> list[ServiceModel]:
    """Those that the first rule with any result gives."""
    word, plain = wanted.casefold(), _plain(wanted)
    rules: list[Callable[[ServiceModel], bool]] = [
        lambda model: model.id == wanted,
        lambda model: model.id.casefold() == word,
        lambda model: model.alias.casefold() == word,
        lambda model: take_apart(model.id).variant.casefold() == word,
        lambda model: _plain(take_apart(model.id).name) == plain,
        # From here on it is a guess, which a service that tells its aliases has no need of.
        lambda model: not model.alias and _plain(take_apart(model.id).family) == plain,
        lambda model: not model.alias and _plain(take_apart(model.id).name).startswith(f"{plain}-"),
    ]
    for rule in rules if plain else ():
        if matches := [model for model in models if rule(model)]:
            return matches
    return []


def _identity(model: ServiceModel) -> str:
    return model.alias.casefold() or _plain(take_apart(model.id).family)


def _rank(model: ServiceModel) -> tuple[bool, tuple[int, int], int]:
    name = take_apart(model.id)
    return model.loaded is True, name.preference, name.version


def _plain(name: str) -> str:
    """Small letters, and one border for all: `v0.2` and `v0-2` are the same."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")


def _not_found(service: FoundService, wanted: str) -> ModelNotFound:
    title = TITLES[service.kind]
    if wanted in service.elsewhere:
        reason = f"“{wanted}” does not run on this machine: {title} would send your words to another one."
    elif service.models:
        reason = f"There is no model “{wanted}” in {title}."
    else:
        reason = f"There is no model in {title} yet."
    return ModelNotFound(wanted=wanted, reason=reason, candidates=_ids(service.models))


def _ids(models: Sequence[ServiceModel]) -> tuple[str, ...]:
    return tuple(model.id for model in models)[:MOST_CANDIDATES]
