"""F39 for many prompts at once: `bench.leaks` over our own samples, each part of it failing at random.

Over the set of others, thousands of prompts: `python -m bench.leaks`.
"""

from pathlib import Path
from random import Random

import pytest
from bench.leaks import Outcome, Prompt, failing, killed, prompts, well
from bench.privacy import samples

SEED = 7
SOME = 150


def asked() -> list[Prompt]:
    """Some of all, with and without anything to find."""
    every = prompts(samples())
    harmless = [prompt for prompt in every if prompt.way == "nothing"]
    return Random(SEED).sample([prompt for prompt in every if prompt.way != "nothing"], SOME) + harmless


def check(outcome: Outcome) -> None:
    """No prompt in which something was found left; what left is counted alike by all; nobody was told a value."""
    assert outcome.leaks == 0
    assert sum(row.found for way, row in outcome.rows.items() if way != "nothing") >= 0.9 * SOME
    assert outcome.bytes.cloud == outcome.bytes.receipts == outcome.bytes.audit > 0
    assert outcome.told == 0


async def test_f39_nothing_found_leaves_when_all_is_well(tmp_path: Path) -> None:
    """Every harmless prompt goes to the cloud, which the policy names first; none of the others does."""
    outcome = await well(asked(), tmp_path)
    check(outcome)
    assert outcome.rows["nothing"].unseen_left == outcome.rows["nothing"].prompts > 0
    assert outcome.endings.keys() == {"complete"}


async def test_f39_nothing_found_leaves_whatever_fails(tmp_path: Path) -> None:
    """With failover, retries, hedging, and clients that leave."""
    outcome = await failing(asked(), tmp_path, SEED)
    check(outcome)
    assert outcome.endings.keys() == {"complete", "failed", "interrupted", "left"}


@pytest.mark.opt_in
@pytest.mark.engine
async def test_f39_nothing_found_leaves_when_the_engine_is_killed(tmp_path: Path) -> None:
    """The real one, again and again."""
    some = Random(SEED).sample(prompts(samples()), 24)
    outcome = await killed(some, tmp_path, SEED)
    assert (outcome.leaks, outcome.told) == (0, 0)
    assert outcome.bytes.cloud == outcome.bytes.receipts == outcome.bytes.audit
