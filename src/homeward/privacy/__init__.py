"""Personal data and secrets in texts: finding them, and replacing them by placeholders. Pure: texts in, values out.

It sees what has a form: addresses, numbers, keys, the user's own words. It does not see names, postal addresses or
what stands in an image; `words` says so to the user.
"""

from homeward.privacy.choice import Choice, choice_for
from homeward.privacy.findings import Finding, Kind, Part, PartReport, Report, custom_kind
from homeward.privacy.masking import Masked, Unmasker, mask
from homeward.privacy.scan import Scanner

__all__ = [
    "Choice", "Finding", "Kind", "Masked", "Part", "PartReport", "Report", "Scanner", "Unmasker", "choice_for",
    "custom_kind", "mask",
]  # fmt: skip
