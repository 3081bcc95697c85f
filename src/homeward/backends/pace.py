"""How soon a backend usually begins its answers."""

import math
from collections import deque

OBSERVATIONS = 50
"""As many are kept; older ones say little about a backend of today."""
ENOUGH = 5
"""With fewer than these nothing is concluded."""
PERCENTILE = 0.95
TIMES = 3.0
LEAST_SECONDS = 2.0
LEAST_EXPECTED_SECONDS = 1e-3
UNIT_TOKENS = 16
"""Prompts differ by at least the tokens of a chat template, so that a ratio of tiny prompts says nothing."""


class Pace:
    """A deadline for the first token, learned from the answers before.

    The time to the first token has a part that every request takes and one that grows with the tokens that are
    read. Both are fitted to the last 50 answers (least squares, neither below zero). The deadline is what the
    fit expects, times the 95th percentile of real by expected times, times 3; beyond the longest prompt seen it
    grows in proportion to the prompt. So a deadline is never short only because past prompts were.

    Each deadline that passes doubles the next ones, until an answer comes: a backend that has become slower is
    learned anew, not given up for ever.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=OBSERVATIONS)
        self._patience = 1.0

    def observe(self, first_token_seconds: float, prompt_tokens: int) -> None:
        """An answer began after so long, of whose prompt so many tokens had to be read."""
        self._seen.append((float(prompt_tokens), first_token_seconds))
        self._patience = 1.0

    def was_late(self) -> None:
        """A deadline passed."""
        self._patience *= 2

    def deadline_seconds(self, prompt_tokens: int, most: float) -> float:
        """How long to wait for the first token: from 2 s to `most`, and `most` before there are 5 answers."""
        if len(self._seen) < ENOUGH:
            return most
        base, per_token = self._fit()

        def expected(tokens: float) -> float:
            return max(base + per_token * tokens, LEAST_EXPECTED_SECONDS)

        ratios = sorted(seconds / expected(tokens) for tokens, seconds in self._seen)
        usual = ratios[math.ceil(PERCENTILE * len(ratios)) - 1]
        longest = max(tokens for tokens, _ in self._seen)
        beyond = max(1.0, (prompt_tokens + UNIT_TOKENS) / (longest + UNIT_TOKENS))
        seconds = TIMES * usual * expected(min(prompt_tokens, longest)) * beyond
        return min(max(seconds, LEAST_SECONDS) * self._patience, most)

    def _fit(self) -> tuple[float, float]:
        """Seconds that every answer takes, and seconds per token of the prompt."""
        count = len(self._seen)
        mean_tokens = sum(tokens for tokens, _ in self._seen) / count
        mean_seconds = sum(seconds for _, seconds in self._seen) / count
        variance = sum((tokens - mean_tokens) ** 2 for tokens, _ in self._seen)
        if not variance:
            return mean_seconds, 0.0
        shared = sum((tokens - mean_tokens) * (seconds - mean_seconds) for tokens, seconds in self._seen)
        per_token = min(max(shared / variance, 0.0), mean_seconds / mean_tokens)
        return mean_seconds - per_token * mean_tokens, per_token
