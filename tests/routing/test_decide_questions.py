"""What the user is asked before a plan is carried out."""

import pytest
from msgspec.structs import replace

from homeward.config.policy import BudgetSettings, PolicySettings
from homeward.protocol.place import Place
from homeward.routing import BackendView, Facts, Plan, Question, Snapshot, decide

HOME = BackendView(name="llama", place=Place.DEVICE)
PEER = BackendView(name="server", place=Place.NETWORK, consented=True)
AZURE = BackendView(name="azure", place=Place.CLOUD, consented=True, input_price=2.0, output_price=10.0)
PRICED = replace(AZURE, name="openai")
SHY = replace(AZURE, consented=False)
FREE = Facts(may_leave="allow")
CONSENT = Question(about="consent", backend="azure", place=Place.CLOUD)
FINDINGS = Question(about="findings", backend="azure", place=Place.CLOUD)


def plan_for(facts: Facts, *views: BackendView, policy: PolicySettings | None = None) -> Plan:
    """With the cloud first, and one unit of money for it."""
    return decide(facts, Snapshot(views), policy or PolicySettings(preset="cloud-first"), BudgetSettings(month=1.0))


def asked(plan: Plan) -> list[str]:
    """Names of the attempts, in order."""
    return [attempt.backend for attempt in plan.attempts]


@pytest.mark.parametrize(
    ("facts", "views", "question"),
    [
        (FREE, (HOME, SHY), CONSENT),
        (Facts(may_leave="mask"), (HOME, SHY), CONSENT),
        (Facts(may_leave="ask"), (HOME, AZURE), FINDINGS),
        (Facts(may_leave="ask"), (HOME, PEER), Question(about="findings", backend="server", place=Place.NETWORK)),
        (Facts(may_leave="ask"), (HOME, SHY), CONSENT),
        (
            Facts(may_leave="ask", approved=True),
            (HOME, SHY),
            CONSENT,
        ),
        (FREE, (HOME, SHY, PRICED), CONSENT),
        (FREE, (HOME, PRICED, SHY), None),
        (FREE, (HOME, AZURE), None),
        (Facts(may_leave="ask", approved=True), (HOME, AZURE), None),
        (Facts(may_leave="home"), (HOME, SHY), None),
        (Facts(may_leave="ask", stays_home=True), (HOME, SHY), None),
        (Facts(may_leave="allow", mode="device"), (HOME, SHY), None),
        (FREE, (HOME, replace(SHY, state="failed")), None),
        (FREE, (HOME, replace(SHY, context_tokens=10)), CONSENT),
        (Facts(may_leave="allow", tokens=11), (HOME, replace(SHY, context_tokens=10)), None),
        (FREE, (), None),
    ],
)
def test_it_asks_only_where_that_brings_a_better_first_attempt(
    facts: Facts, views: tuple[BackendView, ...], question: Question | None
) -> None:
    """Consent before findings; never for a backend that could not answer anyway, or where the words stay home."""
    assert plan_for(facts, *views).question == question


def test_nobody_is_asked_about_a_cloud_that_comes_second() -> None:
    """This device answers first; the cloud behind it is left out without a word."""
    plan = plan_for(FREE, HOME, SHY, policy=PolicySettings())
    assert plan.question is None
    assert asked(plan) == ["llama"]


def test_one_question_follows_the_other() -> None:
    """First the consent, then the findings, then the backend is asked."""
    facts = Facts(may_leave="ask", chosen_backend="azure")
    plan = plan_for(facts, HOME, SHY)
    assert plan.question is not None
    assert (plan.question.about, asked(plan)) == ("consent", [])
    plan = plan_for(facts, HOME, AZURE)
    assert plan.question is not None
    assert (plan.question.about, asked(plan)) == ("findings", [])
    plan = plan_for(replace(facts, approved=True), HOME, AZURE)
    assert (plan.question, asked(plan)) == (None, ["azure"])


def test_nobody_is_asked_about_a_cloud_beyond_the_budget() -> None:
    """A yes would change nothing."""
    plan = plan_for(Facts(may_leave="allow", spent=2.0), HOME, SHY)
    assert plan.question is None
