"""Rules changed while a Homeward serves; how the page asks for it is tested in `tests/manage`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeward.app.governing import Governing
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings, Rule, load
from homeward.manage.http import FieldsError
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import InvalidRequestError
from tests.manage.policies import AZURE, LLAMA, Home, home_of

CLOUD_FIRST = PolicySettings(preset="cloud-first")
REQUEST = ChatRequest(messages=(Message("user", "My mail is ada@example.com."),))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_of(tmp_path, LLAMA, AZURE) as home:
        yield home


async def saved(
    governing: Governing,
    policy: PolicySettings | None = None,
    privacy: PrivacySettings | None = None,
    budget: BudgetSettings | None = None,
) -> None:
    await governing.save(policy or PolicySettings(), privacy or PrivacySettings(), budget or BudgetSettings())


async def test_a_decision_that_was_made_keeps_its_rules(home: Home) -> None:
    """The next one has the new ones, all of them."""
    await home.governing.give("azure")
    before = await home.completer.prepare(REQUEST)
    await saved(home.governing, CLOUD_FIRST, PrivacySettings(default="allow"), BudgetSettings(month=5))
    after = await home.completer.prepare(REQUEST)
    assert [attempt.backend for attempt in before.plan.attempts] == ["llama"]
    assert before.rules.policy == PolicySettings()
    assert [attempt.backend for attempt in after.plan.attempts] == ["azure", "llama"]
    assert (after.rules.budget.month, after.known.facts.may_leave) == (5, "allow")


async def test_two_at_once(home: Home) -> None:
    """The file and the rules in force end up the same."""
    await asyncio.gather(
        saved(home.governing, CLOUD_FIRST), saved(home.governing, PolicySettings(preset="local-only", hedge=True))
    )
    in_force = home.completer.rules.policy
    assert load(config=home.file, environment={}).policy == in_force
    assert (await home.governing.state()).policy == in_force.model_dump(mode="json")


async def test_all_that_is_wrong_is_told_at_once(home: Home) -> None:
    rules = (Rule(name="a", use=("nobody",)), Rule(name="b", use=("azure",)), Rule(name="c", use=("no", "one")))
    with pytest.raises(FieldsError) as caught:
        await saved(home.governing, PolicySettings(rules=rules), PrivacySettings(deny=(" ",), patterns={"p": "("}))
    assert [problem.path for problem in caught.value.problems] == [
        ("policy", "rules", 0),
        ("policy", "rules", 2),
        ("policy", "rules", 2),
        ("privacy", "deny", 0),
        ("privacy", "patterns", "p"),
    ]


async def test_a_rule_may_name_a_cloud_that_is_switched_off(tmp_path: Path) -> None:
    """It is no backend now, and the rule is saved all the same."""
    off = '[clouds.off]\nurl = "https://a.example"\nmodel = "m"\nenabled = false\n'
    rules = (Rule(name="a", use=("off", "device")),)
    with home_of(tmp_path, LLAMA, text=off) as home:
        await saved(home.governing, PolicySettings(rules=rules))
        assert home.completer.rules.policy.rules == rules


async def test_the_chat_gives_consent_by_name(home: Home) -> None:
    """To the machine that the name stands for now."""
    await home.governing.give("azure")
    assert home.consents.given("azure", AZURE.host)
    with pytest.raises(InvalidRequestError):
        await home.governing.give("llama")


async def test_a_prompt_is_looked_at_like_a_question_of_the_page(home: Home) -> None:
    """With the system prompt, which goes out as well, and an answer as long as the page asks for."""
    why = await home.governing.explain("Hi", "auto", "en")
    bare = await home.completer.prepare(ChatRequest(messages=(Message("user", "Hi"),)))
    assert why.facts.tokens > bare.known.facts.tokens
    home.states["llama"] = {"state": "failed", "reason": "It has no model."}
    why = await home.governing.explain("Hi", "device", "en")
    assert why.attempts == ()
    assert [(each.backend, each.sentence) for each in why.dropped] == [
        ("llama", "It can't answer now. It has no model."),
        ("azure", "You asked for an answer on this device."),
    ]
