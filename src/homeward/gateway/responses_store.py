"""Where responses are kept, and what of that a new request goes on from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from homeward.gateway.chat_request import refuse
from homeward.protocol.errors import HistoryError, InvalidRequestError
from homeward.protocol.responses import InputItem, Item, ItemReference, StoredResponse, response_of


class ResponseStore(Protocol):
    """Where responses are kept. Every method raises HistoryError where that fails."""

    async def save(self, response: StoredResponse) -> None:
        """Keep one."""
        ...

    async def get(self, response_id: str, owner: str) -> StoredResponse | None:
        """The response with this id; None also for one of another owner."""
        ...

    async def get_all(self, response_ids: Collection[str], owner: str) -> dict[str, StoredResponse]:
        """Those of them that there are, by id."""
        ...

    async def conversation(self, last_id: str, owner: str) -> tuple[StoredResponse, ...] | None:
        """The responses up to and with this one, oldest first; None where one of them is not there any more."""
        ...

    async def delete(self, response_id: str, owner: str) -> bool:
        """Delete one for good; whether it was there."""
        ...


class NothingKept:
    """The store where no history is kept: nothing is ever there."""

    async def save(self, response: StoredResponse) -> None:
        """Keep nothing."""

    async def get(self, response_id: str, owner: str) -> StoredResponse | None:
        """None."""

    async def get_all(self, response_ids: Collection[str], owner: str) -> dict[str, StoredResponse]:  # noqa: ARG002
        """Nothing."""
        return {}

    async def conversation(self, last_id: str, owner: str) -> tuple[StoredResponse, ...] | None:
        """None."""

    async def delete(self, response_id: str, owner: str) -> bool:  # noqa: ARG002
        """Nothing was there."""
        return False


class PreviousResponseError(InvalidRequestError):
    """A response to go on from that is not there, or not any more."""

    code = "previous_response_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such response to go on from, or one before it was deleted.",
            param="previous_response_id",
            next_step="Send the whole conversation as `input`.",
        )


async def conversation_before(previous: str | None, store: ResponseStore, owner: str) -> tuple[StoredResponse, ...]:
    """The responses that a request goes on from. Raises PreviousResponseError and HistoryError."""
    if not previous:
        return ()
    found = await store.conversation(previous, owner)
    if found is None:
        raise PreviousResponseError
    return found


async def responses_named(given: Iterable[InputItem], store: ResponseStore, owner: str) -> Mapping[str, StoredResponse]:
    """The responses whose items are referred to. Raises HistoryError."""
    named = {response_of(item.id) for item in given if isinstance(item, ItemReference)} - {""}
    return await store.get_all(named, owner) if named else {}


def resolved(given: Sequence[InputItem], responses: Mapping[str, StoredResponse]) -> tuple[Item, ...]:
    """The items, references replaced by what they refer to. Raises InvalidRequestError where that is not there."""
    known = {item.id: item for each in responses.values() for item in said_in(each)}
    new: list[Item] = []
    for number, item in enumerate(given):
        if not isinstance(item, ItemReference):
            new.append(item)
        elif item.id in known:
            new.append(known[item.id])
        else:
            refuse(f"input[{number}].id", "There is no stored item with this id.")
    return tuple(new)


def said_in(response: StoredResponse) -> tuple[Item, ...]:
    """What was asked and answered. Raises HistoryError where this version can't read it."""
    try:
        return msgspec.convert([*response.input, *response.body["output"]], tuple[Item, ...])
    except (msgspec.ValidationError, KeyError) as error:
        raise HistoryError("A stored response can't be read by this version of Homeward.", detail=str(error)) from None
