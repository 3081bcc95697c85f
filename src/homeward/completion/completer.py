"""From a request to an answer that has a plan."""

from collections.abc import Callable, Mapping

from homeward.backends import Backend
from homeward.completion.answer import Answer
from homeward.protocol.chat import ChatRequest
from homeward.routing import Facts, Policy, Snapshot, decide


class Completer:
    """Answers requests with the configured backends, as the policy says."""

    def __init__(self, backends: Mapping[str, Backend], *, policy: Policy, snapshot: Callable[[], Snapshot]) -> None:
        """`snapshot` gives the backends' state at the moment of asking; their names are the keys of `backends`."""
        self.backends = backends
        self.policy = policy
        self.snapshot = snapshot

    def begin(self, request: ChatRequest) -> Answer:
        """The answer to a request; nothing is asked until its events are read."""
        facts = Facts(chosen_backend=request.backend, chosen_model=request.model)
        return Answer(request, decide(facts, self.snapshot(), self.policy), self.backends)
