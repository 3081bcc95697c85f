"""What the policy page can ask for."""

from typing import Literal, Protocol

from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from homeward.manage.policy_state import Explanation, PolicyState
from homeward.protocol.chat import Mode

Language = Literal["en", "ko"]


class Governor(Protocol):
    """Knows the user's rules, and changes them.

    All coroutines raise HomewardError, with a sentence for the user.
    """

    async def state(self) -> PolicyState:
        """The rules in force, and what they are about. Reads the audit log."""

    async def save(self, policy: PolicySettings, privacy: PrivacySettings, budget: BudgetSettings) -> None:
        """Write these into the user's file, and let them count at once.

        Raises FieldsError: some of them make no sense, and which.
        """

    async def explain(self, prompt: str, mode: Mode, language: Language) -> Explanation:
        """What would happen to this prompt under the rules in force. Nobody is asked, and nothing is kept."""

    async def consent(self, backend: str, *, given: bool) -> None:
        """The user agrees that words go to this backend, or no longer does."""
