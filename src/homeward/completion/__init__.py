"""The one path from a request to its answer, for the page and the API alike.

Facts → `routing.decide` → walk → receipt → events. Knows neither HTTP nor Chainlit.
"""

from homeward.completion.answer import Answer
from homeward.completion.completer import Completer
from homeward.completion.events import Ended, Event, Phase, Said, Waiting
from homeward.completion.firewall import Firewall
from homeward.completion.prepared import Prepared, Rules
from homeward.completion.trial import Books

__all__ = [
    "Answer",
    "Books",
    "Completer",
    "Ended",
    "Event",
    "Firewall",
    "Phase",
    "Prepared",
    "Rules",
    "Said",
    "Waiting",
]
