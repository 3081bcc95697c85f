"""What schemathesis is not to send."""

from typing import Any

import schemathesis  # type: ignore[import-not-found]


@schemathesis.hook  # type: ignore[untyped-decorator]
def filter_case(_context: Any, case: Any) -> bool:
    """Whether somebody could answer it.

    A picture for a model of this device that sees none comes back as a fault of the engine's, with 502. And where the
    wishes of a request leave nobody, as `stays_home` does for a model of a cloud, it is told so with 503.
    """
    if "data:image/" in str(case.body):
        return False
    wishes = case.body.get("homeward") if isinstance(case.body, dict) else None
    if not isinstance(wishes, dict):
        return True
    at_home = bool(wishes.get("stays_home")) or wishes.get("mode") == "device"
    places = wishes.get("places")
    if at_home and places and "device" not in str(places):
        return False
    return case.body.get("model") in (None, "homeward") or not (at_home or places)
