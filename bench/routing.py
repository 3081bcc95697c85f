"""What it costs to decide where a request may go, beside writing the same request as JSON.

    python -m bench.routing [--repeats 5]

Nothing here asks a model. Each step runs many times in process time, on one core; the median of the repeats counts.
The conversation has 10 kB, as one of a few turns has. Of the ten rules, nine have every condition and fail at the last
of them; the tenth matches. A second table has the whole path of a request without the model (`bench/path.py`).
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable

import msgspec

from bench.path import measure
from homeward.config.policy import BudgetSettings, PolicySettings, Rule, When
from homeward.privacy import Part, Scanner
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.place import Place
from homeward.protocol.wire import encode_request
from homeward.routing import BackendView, Facts, Snapshot, decide, explain
from homeward.routing.tasks import assess

SENTENCE = "The meeting of the group that plans the new library is moved to the second Tuesday of next month. "
CONVERSATION = (SENTENCE * 110)[:10_000]
QUESTION = "Write a Python function that merges two sorted lists, and explain how long it takes."

BACKENDS = Snapshot(
    (
        BackendView(name="llama", place=Place.DEVICE),
        BackendView(name="foundry", place=Place.DEVICE),
        BackendView(name="server", place=Place.NETWORK, consented=True, state="resting"),
        *(
            BackendView(name=name, place=Place.CLOUD, consented=True, input_price=1.0, output_price=4.0)
            for name in ("azure", "openai")
        ),
    )
)
EVERYTHING = When(
    task=("code",),
    complexity=("hard",),
    tokens_over=100,
    findings=False,
    attachments=False,
    failed=("network", "server"),
    hours="22:00-06:00",
    days=("mon", "fri"),
    spent_over=1.0,
)
TEN_RULES = PolicySettings(
    preset="by-task",
    rules=(
        *(Rule(name=f"rule {n}", when=EVERYTHING, use=("cloud", "device")) for n in range(9)),
        Rule(name="the last one", when=When(task=("code",)), use=("azure", "device", "cloud")),
    ),
)
FACTS = Facts(
    task="code", complexity="hard", tokens=2500, max_tokens=1024, may_leave="allow", weekday=4, minute=1380, spent=0.5
)


def process_microseconds(step: Callable[[], object], repeats: int) -> float:
    """Of one call: enough calls for 50 ms, as often as said; the median."""
    step()  # what is loaded at the first use is not the step's cost
    calls, began = 0, time.process_time()
    while time.process_time() - began < 0.05:
        step()
        calls += 1
    costs = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(calls):
            step()
        costs.append((time.process_time() - began) / calls)
    return statistics.median(costs) * 1e6


def steps() -> dict[str, Callable[[], object]]:
    """What is measured; the JSON first, as all else is told in multiples of it."""
    request = ChatRequest(messages=(Message("user", CONVERSATION), Message("user", QUESTION)))
    budget = BudgetSettings(month=10.0)
    simple, known = PolicySettings(), msgspec.structs.replace(FACTS, task="chat")
    plan = decide(FACTS, BACKENDS, TEN_RULES, budget)
    assert plan.rule == "the last one"
    scanner = Scanner()
    part = Part("user", CONVERSATION)
    return {
        "the request as JSON": lambda: encode_request(request, "starter"),
        "decide, no rules": lambda: decide(known, BACKENDS, simple, budget),
        "decide, ten rules": lambda: decide(FACTS, BACKENDS, TEN_RULES, budget),
        "explain": lambda: explain(FACTS, plan, "en"),
        "task and difficulty of a question": lambda: assess(QUESTION),
        "task and difficulty of 10 kB": lambda: assess(CONVERSATION),
        "privacy scan of 10 kB": lambda: scanner.find([part]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each step")
    repeats = parser.parse_args().repeats
    costs = {name: process_microseconds(step, repeats) for name, step in steps().items()}
    unit = next(iter(costs.values()))
    print(f"| {'step':33} | {'µs':>8} | {'times the JSON':>14} |\n|{'-' * 35}|{'-' * 9}:|{'-' * 15}:|")
    for name, cost in costs.items():
        print(f"| {name:33} | {cost:8.1f} | {cost / unit:14.1f} |")
    print()
    asyncio.run(measure(times=20 * repeats))


if __name__ == "__main__":
    main()
