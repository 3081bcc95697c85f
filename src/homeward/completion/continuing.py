"""Going on with an answer that was cut: the request's last message is the answer so far."""


class RepeatedBeginning:
    """Drops the beginning of a stream as long as it repeats the text that it is to continue.

    llama.cpp's server sends the given beginning once more before it goes on; other servers don't.
    """

    def __init__(self, beginning: str) -> None:
        self._rest = beginning
        self._held = ""

    def new(self, text: str) -> str:
        """What of the next piece is new; empty while it repeats."""
        if not self._rest and not self._held:
            return text
        self._held += text
        if self._held.startswith(self._rest):
            text, self._held, self._rest = self._held[len(self._rest) :], "", ""
            return text
        if self._rest.startswith(self._held):
            return ""
        return self.end()  # it doesn't repeat after all

    def end(self) -> str:
        """What was held back; of a stream that ended while it seemed to repeat, all that it said."""
        text, self._held, self._rest = self._held, "", ""
        return text
