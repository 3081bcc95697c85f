"""`[history]`: how long what other programs leave here is kept."""

from pydantic import Field

from homeward.config.table import Table


class HistorySettings(Table):
    """`[history]`: how long things are kept."""

    enabled: bool = Field(
        True, description="With `homeward gateway`: keep receipts and responses; off, the last receipts stay in memory."
    )
    responses_days: int = Field(
        30,
        ge=1,
        le=36_500,
        description="Days that answers of /v1/responses are kept, counted from the newest one of their conversation,"
        " and receipts of answers to other programs.",
    )
