"""Receipts where no history is kept."""

from collections import OrderedDict

from homeward.protocol.receipt import Receipt

MOST = 1000


class RecentReceipts:
    """The last ones, in memory."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Receipt] = OrderedDict()

    def keep(self, receipt: Receipt) -> None:
        """Keep one; the oldest goes."""
        self._kept[str(receipt.id)] = receipt
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    async def get_receipt(self, receipt_id: str) -> Receipt | None:
        """The receipt with this id."""
        return self._kept.get(receipt_id)
