"""What the policy page says about decisions and findings: in the words that explanations and receipts use as well."""

from collections.abc import Mapping
from typing import Any

from homeward.privacy import words as privacy
from homeward.routing import words as routing

Table = Mapping[Any, tuple[str, str]]


def policy_words(language: str) -> dict[str, Any]:
    """All of them, in English or Korean (`ko`)."""
    column = 1 if language == "ko" else 0

    def said(table: Table) -> dict[str, str]:
        return {str(key): pair[column] for key, pair in table.items()}

    return {
        "presets": said(routing.PRESETS),
        "places": said(routing.PLACES),
        "tasks": said(routing.TASKS),
        "difficulties": said(routing.DIFFICULTIES),
        "kinds": said(privacy.KINDS),
        "choices": said(privacy.CHOICES),
        "seen": privacy.SEEN[column],
        "not_seen": [pair[column] for pair in privacy.NOT_SEEN],
    }
