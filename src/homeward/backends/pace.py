"""How soon a backend usually begins its answers."""

import math
from collections import deque

import msgspec

OBSERVATIONS = 50
"""As many are kept; older ones say little about a backend of today."""
ENOUGH = 5
"""With fewer than these nothing is concluded."""
PERCENTILE = 0.95
TIMES = 3.0
LEAST_SECONDS = 2.0
LEAST_EXPECTED_SECONDS = 1e-3
REFIT_SHARE = 5
"""Fitted anew once one in so many of the answers is younger than the fit."""
UNIT_TOKENS = 16
"""Prompts differ by at least the tokens of a chat template, so that a ratio of tiny prompts says nothing."""


class _Fit(msgspec.Struct, frozen=True):
    """What the answers so far say."""

    base: float
    """Seconds that every answer takes."""
    per_token: float
    """Seconds per token of the prompt."""
    usual: float
    """Real by expected times, at the percentile."""
    longest: float
    """Tokens of the longest prompt."""

    def expected(self, tokens: float) -> float:
        """Seconds to the first token."""
        return max(self.base + self.per_token * tokens, LEAST_EXPECTED_SECONDS)


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
        self._fit: _Fit | None = None
        self._unfitted = 0

    def observe(self, first_token_seconds: float, prompt_tokens: int) -> None:
        """An answer began after so long, of whose prompt so many tokens had to be read."""
        self._seen.append((float(prompt_tokens), first_token_seconds))
        self._patience = 1.0
        self._unfitted += 1
        if self._unfitted * REFIT_SHARE >= len(self._seen):
            self._fit = None

    def was_late(self) -> None:
        """A deadline passed."""
        self._patience *= 2

    def deadline_seconds(self, prompt_tokens: int, most: float) -> float:
        """How long to wait for the first token: from 2 s to `most`, and `most` before there are 5 answers."""
        if len(self._seen) < ENOUGH:
            return most
        fit = self._fit = self._fit or self._fitted()
        beyond = max(1.0, (prompt_tokens + UNIT_TOKENS) / (fit.longest + UNIT_TOKENS))
        seconds = TIMES * fit.usual * fit.expected(min(prompt_tokens, fit.longest)) * beyond
        return min(max(seconds, LEAST_SECONDS) * self._patience, most)

    def _fitted(self) -> "_Fit":
        self._unfitted = 0
        base, per_token = self._line()
        fit = _Fit(base, per_token, usual=1.0, longest=max(tokens for tokens, _ in self._seen))
        ratios = sorted(seconds / fit.expected(tokens) for tokens, seconds in self._seen)
        return msgspec.structs.replace(fit, usual=ratios[math.ceil(PERCENTILE * len(ratios)) - 1])

    def _line(self) -> tuple[float, float]:
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
