"""Settings: what the user may choose, where it is read from, and what is wrong with it.

One value per setting, in this order: command line, `HOMEWARD_…` variable, `homeward.toml`, default.
"""

from homeward.config.clouds import CloudSettings
from homeward.config.load import load
from homeward.config.policy import BudgetSettings, PolicySettings, PrivacySettings, Rule, When
from homeward.config.settings import (
    ChatSettings,
    FoundrySettings,
    LlamaSettings,
    ModelsSettings,
    ServiceSettings,
    Settings,
)

__all__ = [
    "BudgetSettings",
    "ChatSettings",
    "CloudSettings",
    "FoundrySettings",
    "LlamaSettings",
    "ModelsSettings",
    "PolicySettings",
    "PrivacySettings",
    "Rule",
    "ServiceSettings",
    "Settings",
    "When",
    "load",
]
