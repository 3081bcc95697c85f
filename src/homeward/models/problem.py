"""A fault in one file of a model, as a value."""

from typing import Literal

import msgspec

ProblemKind = Literal["missing", "cut", "changed", "zeros", "unreadable", "foreign"]
"""missing      it is not there
cut          its end is missing
changed      its bytes are not those that the manifest has
zeros        a part of it is empty: it was never written
unreadable   the system does not give it out, or its content contradicts itself
foreign      it is something else, a web page for instance, or it lies outside of the model's folder
"""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a file."""

    file: str
    """Relative to the model's folder, with `/`."""
    kind: ProblemKind
    sentence: str
    """For the user."""
