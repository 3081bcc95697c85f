"""A limit for the work on one request that depends on the request alone, not on a clock."""


class OutOfStepsError(Exception):
    """The request would take more steps than it may."""


class Budget:
    """So many steps, one per byte of each form of the text, and some for every match that is checked."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Raises `OutOfStepsError` once nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise OutOfStepsError
