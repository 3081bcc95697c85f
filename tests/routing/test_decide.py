"""Decisions, case by case."""

import pytest
from msgspec.structs import replace

from homeward.config.policy import BudgetSettings, May, PolicySettings, Rule, When
from homeward.protocol.chat import Mode
from homeward.protocol.place import Place
from homeward.routing import Attempt, BackendView, Facts, Plan, Question, Snapshot, decide
from homeward.routing.plan import Reason

HOME = BackendView(name="llama", place=Place.DEVICE, model="starter")
OTHER = BackendView(name="foundry", place=Place.DEVICE)
PEER = BackendView(name="server", place=Place.NETWORK, consented=True)
AZURE = BackendView(name="azure", place=Place.CLOUD, model="gpt", consented=True, input_price=2.0, output_price=10.0)
OPENAI = BackendView(name="openai", place=Place.CLOUD, consented=True)
ALL = (AZURE, HOME, PEER, OPENAI, OTHER)

FREE = Facts(may_leave="allow")
"""A request without findings."""


def plan_for(
    facts: Facts = FREE,
    *views: BackendView,
    policy: PolicySettings | None = None,
    month: float | None = None,
) -> Plan:
    """The plan for these backends, or for all."""
    return decide(facts, Snapshot(views or ALL), policy or PolicySettings(), BudgetSettings(month=month))


def asked(plan: Plan) -> list[str]:
    """Names of the attempts, in order."""
    return [attempt.backend for attempt in plan.attempts]


def reasons(plan: Plan) -> dict[str, Reason]:
    """Of the backends that are not asked."""
    return {each.backend: each.reason for each in plan.dropped}


def test_places_come_in_order_and_backends_as_configured() -> None:
    """Without a rule: the order of places; within a place, that of the configuration."""
    plan = plan_for()
    assert asked(plan) == ["llama", "foundry", "server", "azure", "openai"]
    assert plan.rule == "place_order"
    assert {attempt.reason for attempt in plan.attempts} == {"place_order"}
    assert plan.dropped == ()


def test_an_attempt_says_all_that_the_walk_needs() -> None:
    """Backend, place, model, rule."""
    assert plan_for(FREE, HOME).attempts == (
        Attempt(backend="llama", place=Place.DEVICE, model="starter", reason="place_order"),
    )


@pytest.mark.parametrize(
    ("use", "order", "left_out"),
    [
        (("cloud", "device"), ["azure", "openai", "llama", "foundry"], {"server": "not_in_rule"}),
        (
            ("openai", "cloud", "foundry"),
            ["openai", "azure", "foundry"],
            {"llama": "not_in_rule", "server": "not_in_rule"},
        ),
        (("device", "llama"), ["llama", "foundry"], dict.fromkeys(("azure", "server", "openai"), "not_in_rule")),
        (("nobody",), [], dict.fromkeys(("azure", "llama", "server", "openai", "foundry"), "not_in_rule")),
    ],
)
def test_a_rule_names_who_is_asked_in_which_order(
    use: tuple[str, ...], order: list[str], left_out: dict[str, str]
) -> None:
    """Places and backends may be mixed; the first mention of a backend counts; who is not named is not asked."""
    plan = plan_for(policy=PolicySettings(rules=(Rule(name="mine", use=use),)))
    assert asked(plan) == order
    assert reasons(plan) == left_out
    assert plan.rule == "mine"
    assert {attempt.reason for attempt in plan.attempts} <= {"mine"}


def test_the_first_matching_rule_counts() -> None:
    """Those before it don't match, those behind it are not looked at."""
    rules = (
        Rule(name="long", when=When(tokens_over=100), use=("cloud",)),
        Rule(name="code", when=When(task=("code",)), use=("foundry",)),
        Rule(name="rest", use=("llama",)),
    )
    policy = PolicySettings(rules=rules)
    assert asked(plan_for(Facts(task="code", tokens=100), policy=policy)) == ["foundry"]
    assert asked(plan_for(Facts(tokens=100), policy=policy)) == ["llama"]


def test_a_rule_never_widens_the_places() -> None:
    """A place, or a backend of a place, that the policy leaves out stays out."""
    policy = PolicySettings(places=("device",), rules=(Rule(name="wide", use=("cloud", "azure", "server", "llama")),))
    plan = plan_for(policy=policy)
    assert asked(plan) == ["llama"]
    assert reasons(plan) == {
        "azure": "place_not_allowed",
        "server": "place_not_allowed",
        "openai": "place_not_allowed",
        "foundry": "not_in_rule",
    }


def test_a_cloud_that_is_called_device_is_not_at_home() -> None:
    """The name of a place in a rule means the place alone."""
    impostor = BackendView(name="device", place=Place.CLOUD, consented=True)
    policy = PolicySettings(rules=(Rule(name="at home", use=("device",)),))
    plan = plan_for(FREE, impostor, HOME, policy=policy)
    assert asked(plan) == ["llama"]
    assert reasons(plan) == {"device": "not_in_rule"}


def test_mode_device_asks_this_device_only() -> None:
    """Rules are not consulted."""
    policy = PolicySettings(rules=(Rule(name="out", use=("cloud",)),))
    plan = plan_for(Facts(mode="device", may_leave="allow"), policy=policy)
    assert asked(plan) == ["llama", "foundry"]
    assert [(each.backend, each.reason) for each in plan.dropped] == [
        ("azure", "not_in_mode"),
        ("server", "not_in_mode"),
        ("openai", "not_in_mode"),
    ]  # as they are configured
    assert plan.rule == "mode"


def test_mode_cloud_asks_the_cloud_first() -> None:
    """Then the network, then this device; rules are not consulted, places that policy leaves out stay out."""
    facts = Facts(mode="cloud", may_leave="allow")
    rules = (Rule(name="home", use=("device",)),)
    plan = plan_for(facts, policy=PolicySettings(rules=rules))
    assert asked(plan) == ["azure", "openai", "server", "llama", "foundry"]
    assert plan.rule == "mode"
    plan = plan_for(facts, policy=PolicySettings(places=("device", "cloud")))
    assert asked(plan) == ["azure", "openai", "llama", "foundry"]
    assert reasons(plan) == {"server": "place_not_allowed"}
    plan = plan_for(facts, policy=PolicySettings(preset="local-only", rules=rules))
    assert asked(plan) == ["llama", "foundry"]


def test_a_choice_drops_the_others() -> None:
    """It stands alone, rules or not, and the plan says that it was a choice."""
    policy = PolicySettings(rules=(Rule(name="home", use=("device",)),))
    plan = plan_for(Facts(chosen_backend="azure", chosen_model="gpt-big", may_leave="allow"), policy=policy)
    assert plan.attempts == (Attempt(backend="azure", place=Place.CLOUD, model="gpt-big", reason="chosen"),)
    assert reasons(plan) == dict.fromkeys(("llama", "server", "openai", "foundry"), "not_chosen")
    assert plan.rule == "chosen"


def test_a_choice_without_a_model_takes_the_backends_own() -> None:
    """And the name of a model without a backend means nothing: each backend calls its models otherwise."""
    assert plan_for(Facts(chosen_backend="llama")).attempts[0].model == "starter"
    assert plan_for(Facts(chosen_model="gpt-big")).attempts[0].model == "starter"


@pytest.mark.parametrize(
    ("facts", "policy", "reason"),
    [
        (Facts(chosen_backend="azure", may_leave="allow"), PolicySettings(preset="local-only"), "place_not_allowed"),
        (Facts(chosen_backend="azure", may_leave="allow", mode="device"), PolicySettings(), "not_in_mode"),
        (Facts(chosen_backend="azure", may_leave="home"), PolicySettings(), "findings"),
        (Facts(chosen_backend="azure", may_leave="allow", stays_home=True), PolicySettings(), "thread_stays_home"),
    ],
)
def test_a_choice_overrides_nothing_else(facts: Facts, policy: PolicySettings, reason: str) -> None:
    """Places, mode, and privacy stand above it, and nobody takes the chosen one's part."""
    plan = plan_for(facts, policy=policy)
    assert asked(plan) == []
    assert reasons(plan)["azure"] == reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(may_leave="allow", stays_home=True, approved=True), "thread_stays_home"),
        (Facts(may_leave="home", approved=True), "findings"),
        (Facts(), "findings"),
        (Facts(may_leave="ask"), "findings_unasked"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "cloud"])
def test_private_words_stay_on_this_device(facts: Facts, reason: str, mode: Mode) -> None:
    """Neither network nor cloud gets them, also where the user had agreed to these backends."""
    plan = plan_for(replace(facts, mode=mode), policy=PolicySettings(preset="cloud-first"))
    assert asked(plan) == ["llama", "foundry"]
    assert reasons(plan) == dict.fromkeys(("azure", "server", "openai"), reason)


@pytest.mark.parametrize(
    ("may_leave", "approved", "masked"),
    [("allow", False, False), ("mask", False, True), ("ask", True, False)],
)
def test_what_may_leave_is_masked_where_the_user_wants_that(may_leave: May, approved: bool, masked: bool) -> None:
    """Only outside this device; at home the model reads what was written."""
    facts = Facts(may_leave=may_leave, approved=approved, findings=frozenset({"email"}))
    plan = plan_for(facts)
    assert {attempt.backend: attempt.masked for attempt in plan.attempts} == {
        "llama": False,
        "foundry": False,
        "server": masked,
        "azure": masked,
        "openai": masked,
    }


def test_nothing_goes_where_the_user_has_not_agreed() -> None:
    """To the network no more than to the cloud; this device needs no consent."""
    views = (HOME, replace(PEER, consented=False), replace(AZURE, consented=False))
    plan = plan_for(FREE, *views)
    assert asked(plan) == ["llama"]
    assert reasons(plan) == {"server": "no_consent", "azure": "no_consent"}


@pytest.mark.parametrize(
    ("spent", "fits"),
    [(0.0, True), (0.5, True), (0.6, False), (5.0, False)],
)
def test_the_budget_is_a_hard_stop(spent: float, fits: bool) -> None:
    """The dearest answer that may come counts: here 100,000 tokens at 2 and 30,000 at 10 per million, 0.5 in all."""
    facts = Facts(may_leave="allow", tokens=100_000, max_tokens=30_000, spent=spent)
    plan = plan_for(facts, HOME, PEER, AZURE, month=1.0)
    assert asked(plan) == ["llama", "server", "azure"] if fits else ["llama", "server"]
    assert reasons(plan) == ({} if fits else {"azure": "budget_spent"})


@pytest.mark.parametrize("prices", [{"input_price": None}, {"output_price": None}])
def test_with_a_budget_an_unknown_price_is_too_much(prices: dict[str, None]) -> None:
    """Without one it doesn't matter; nor does it on this device and in the network."""
    views = (HOME, PEER, replace(AZURE, **prices))
    assert reasons(plan_for(FREE, *views, month=1.0)) == {"azure": "price_unknown"}
    assert asked(plan_for(FREE, *views)) == ["llama", "server", "azure"]


def test_a_free_cloud_fits_the_budget_of_nothing() -> None:
    """Zero is a price."""
    assert asked(plan_for(FREE, replace(AZURE, input_price=0.0, output_price=0.0), month=0.0)) == ["azure"]


def test_too_long_conversations_go_elsewhere() -> None:
    """Except on this device, where the oldest turns are left out."""
    views = tuple(replace(view, context_tokens=1000) for view in (HOME, PEER, AZURE))
    facts = Facts(may_leave="allow", tokens=1001)
    plan = plan_for(facts, *views, OPENAI)
    assert asked(plan) == ["llama", "openai"]
    assert reasons(plan) == {"server": "too_long", "azure": "too_long"}
    assert reasons(plan_for(replace(facts, tokens=1000), *views)) == {}


@pytest.mark.parametrize("mode", ["auto", "cloud", "device"])
def test_images_go_only_to_who_may_see_them(mode: Mode) -> None:
    """Without images nobody is asked whether he sees."""
    blind = replace(HOME, sees_images=False)
    facts = Facts(may_leave="allow", mode=mode, images=True)
    plan = plan_for(facts, blind, AZURE)
    assert asked(plan) == ([] if mode == "device" else ["azure"])
    assert reasons(plan)["llama"] == "cant_see"
    assert plan.nobody == ("cant_see" if mode == "device" else None)
    assert "llama" in asked(plan_for(replace(facts, images=False), blind, AZURE))


def test_images_that_must_stay_home_are_not_shown_to_who_is_elsewhere() -> None:
    """Whether he sees them is not even looked at."""
    plan = plan_for(Facts(may_leave="home", images=True), replace(HOME, sees_images=False), AZURE)
    assert reasons(plan) == {"llama": "cant_see", "azure": "findings"}
    assert plan.nobody == "cant_see"


def test_the_user_is_asked_about_who_sees_them() -> None:
    """Nobody else can answer."""
    plan = plan_for(
        Facts(may_leave="allow", images=True), replace(HOME, sees_images=False), replace(AZURE, consented=False)
    )
    assert plan.question == Question(about="consent", backend="azure", place=Place.CLOUD)


RESTING = {"state": "resting", "rests_seconds": 10.0}
LOCAL_ONLY = PolicySettings(preset="local-only")


@pytest.mark.parametrize(
    ("facts", "views", "policy", "nobody"),
    [
        (FREE, (HOME,), PolicySettings(), None),
        (FREE, (), PolicySettings(), "policy"),
        (FREE, (replace(HOME, state="failed"),), PolicySettings(), "for_now"),
        (FREE, (replace(HOME, state="failed"), replace(AZURE, **RESTING, busy=True)), PolicySettings(), "for_now"),
        (FREE, (replace(OPENAI, **RESTING), replace(AZURE, **RESTING, busy=True)), PolicySettings(), "for_now"),
        (FREE, (replace(OPENAI, **RESTING, busy=True), replace(AZURE, **RESTING, busy=True)), PolicySettings(), "busy"),
        (FREE, (replace(HOME, state="failed"), AZURE), LOCAL_ONLY, "for_now"),
        (replace(FREE, tokens=9), (replace(AZURE, context_tokens=5),), PolicySettings(), "too_long"),
        (replace(FREE, places=()), (HOME, AZURE), PolicySettings(), "wish"),
        (replace(FREE, places=("cloud",)), (HOME, AZURE), LOCAL_ONLY, "wish"),
        (replace(FREE, places=("cloud",), stays_home=True), (HOME, AZURE), PolicySettings(), "wish"),
        (replace(FREE, mode="device"), (AZURE,), PolicySettings(), "wish"),
        (replace(FREE, chosen_backend="azure", stays_home=True), (HOME, AZURE), PolicySettings(), "wish"),
        (replace(FREE, chosen_backend="azure"), (HOME, AZURE), LOCAL_ONLY, "policy"),
        (Facts(chosen_backend="azure"), (HOME, AZURE), PolicySettings(), "policy"),
        (FREE, (AZURE,), LOCAL_ONLY, "policy"),
        (replace(FREE, mode="device"), (AZURE,), LOCAL_ONLY, "policy"),
        (FREE, (replace(AZURE, consented=False),), PolicySettings(), "policy"),
        (FREE, (HOME,), PolicySettings(rules=(Rule(name="mine", use=("cloud",)),)), "policy"),
    ],
)
def test_it_says_why_nobody_is_asked(
    facts: Facts, views: tuple[BackendView, ...], policy: PolicySettings, nobody: str | None
) -> None:
    """What waiting cures, what another request cures, and what the user alone can cure."""
    plan = decide(facts, Snapshot(views), policy, BudgetSettings())
    assert plan.nobody == nobody


def test_what_is_dropped_says_with_which_model() -> None:
    """The one that was named, where it was."""
    policy = PolicySettings(rules=(Rule(name="nobody", use=("nobody",)),))
    assert {each.backend: each.model for each in plan_for(FREE, HOME, AZURE, policy=policy).dropped} == {
        "llama": "starter",
        "azure": "gpt",
    }
    chosen = Facts(chosen_backend="azure", chosen_model="gpt-big")
    assert {each.backend: each.model for each in plan_for(chosen, HOME, AZURE).dropped} == {
        "llama": "starter",
        "azure": "gpt-big",
    }


def test_who_loads_is_waited_for_and_who_failed_or_rests_is_not() -> None:
    """What the backend says about it goes along."""
    plan = plan_for(
        FREE,
        replace(HOME, state="loading", reason="loading the model"),
        replace(OTHER, state="failed", reason="No memory."),
        replace(AZURE, state="resting", reason="Its quota is used up.", rests_seconds=20),
    )
    assert asked(plan) == ["llama"]
    assert [(each.backend, each.reason, each.sentence) for each in plan.dropped] == [
        ("foundry", "failed", "No memory."),
        ("azure", "resting", "Its quota is used up."),
    ]
    assert plan.retry_after_seconds is None


def test_a_backends_sentence_goes_only_with_its_own_reason() -> None:
    """Where policy is what keeps it out, its health is nobody's concern."""
    plan = plan_for(
        FREE, replace(AZURE, state="failed", reason="No answer."), policy=PolicySettings(preset="local-only")
    )
    assert [(each.reason, each.sentence) for each in plan.dropped] == [("place_not_allowed", "")]


def test_it_says_when_to_try_again() -> None:
    """The soonest of those that rest, where nobody can be asked; one that policy leaves out is not counted."""
    views = (
        replace(HOME, state="resting", rests_seconds=30),
        replace(OTHER, state="resting", rests_seconds=12),
        replace(AZURE, state="resting", rests_seconds=3),
        replace(PEER, state="failed"),
    )
    assert plan_for(FREE, *views, policy=PolicySettings(places=("device",))).retry_after_seconds == 12
    assert plan_for(FREE, *views).retry_after_seconds == 3
    assert plan_for(FREE, views[3]).retry_after_seconds is None


def test_the_most_fundamental_reason_is_given() -> None:
    """With everything against a backend, curing one reason after the other shows the next."""
    home_rule = PolicySettings(rules=(Rule(name="home", use=("device",)),))
    facts = Facts(
        mode="device", chosen_backend="llama", stays_home=True, images=True, tokens=100, max_tokens=100, spent=9
    )
    view = BackendView(name="azure", place=Place.CLOUD, state="failed", context_tokens=10, sees_images=False)
    cases: list[tuple[Reason, PolicySettings, dict[str, object], dict[str, object]]] = [
        ("place_not_allowed", PolicySettings(preset="local-only"), {}, {}),
        ("not_in_request", home_rule, {"places": ("device", "network")}, {}),
        ("not_chosen", home_rule, {"places": ("cloud",)}, {}),
        ("not_in_mode", home_rule, {"chosen_backend": None}, {}),
        ("not_in_rule", home_rule, {"mode": "auto"}, {}),
        ("thread_stays_home", PolicySettings(), {}, {}),
        ("findings", PolicySettings(), {"stays_home": False}, {}),
        ("findings_unasked", PolicySettings(), {"may_leave": "ask"}, {}),
        ("price_unknown", PolicySettings(), {"approved": True}, {}),
        ("budget_spent", PolicySettings(), {}, {"input_price": 1.0, "output_price": 1.0}),
        ("no_consent", PolicySettings(), {"spent": 0.0}, {}),
        ("cant_see", PolicySettings(), {}, {"consented": True}),
        ("too_long", PolicySettings(), {"images": False}, {}),
        ("failed", PolicySettings(), {}, {"context_tokens": 100}),
    ]
    for reason, policy, facts_cure, view_cure in cases:
        facts, view = replace(facts, **facts_cure), replace(view, **view_cure)
        assert reasons(plan_for(facts, view, policy=policy, month=1.0)) == {"azure": reason}
    assert asked(plan_for(facts, replace(view, state="ready"), month=1.0)) == ["azure"]


def test_hedging_needs_a_second_attempt() -> None:
    """And the user's word."""
    hedging = PolicySettings(hedge=True)
    assert plan_for(FREE, HOME, AZURE, policy=hedging).hedge
    assert not plan_for(FREE, HOME, policy=hedging).hedge
    assert not plan_for(FREE, HOME, AZURE).hedge
