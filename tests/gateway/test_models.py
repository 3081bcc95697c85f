"""`/v1/models`."""

from typing import Any

import pytest
from openai import NotFoundError

from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import MakeCompleter
from tests.gateway.conftest import Gateway, gateway_over


async def entries(gateway: Gateway) -> dict[str, dict[str, Any]]:
    """By id, as the wire has them."""
    async with gateway.http.get(f"{gateway.url}/models") as answer:
        return {entry["id"]: entry for entry in (await answer.json())["data"]}


async def test_what_can_be_asked_for_is_listed(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The policy, its two restrictions, each backend's model, aliases; nobody is asked for it."""
    completer = completer_of("ok", "ok-slow", cloud=["ok-slow"])
    async with gateway_over(completer, **{"gpt-4o": "homeward", "big": "ok-slow/ok-slow", "gone": "nobody"}) as gateway:
        listed = [model.id async for model in gateway.client.models.list()]
        assert listed == ["homeward", "homeward:device", "homeward:cloud", "ok/ok", "ok-slow/ok-slow", "gpt-4o", "big"]
        for name in listed:
            assert (await gateway.client.models.retrieve(name)).id == name
        with pytest.raises(NotFoundError, match="There is no model called `gone` here"):
            await gateway.client.models.retrieve("gone")
        with pytest.raises(NotFoundError):
            await gateway.client.models.retrieve("homeward:moon")
    assert upstream.connections == 0


async def test_where_nothing_leaves_there_is_nothing_to_choose(gateway: Gateway) -> None:
    """One name for the policy."""
    assert list(await entries(gateway)) == ["homeward", "ok/ok"]


async def test_open_webui_is_told_not_to_flood_a_small_window(gateway: Gateway) -> None:
    """Its own 36 tools are 5,282 tokens; the entries are of a fixed shape, for it copies them whole."""
    for entry in (await entries(gateway)).values():
        assert set(entry) == {"id", "object", "created", "owned_by", "info"}
        assert entry["info"]["meta"]["capabilities"] == {"usage": True, "builtin_tools": False, "vision": False}
        assert isinstance(entry["created"], int)
