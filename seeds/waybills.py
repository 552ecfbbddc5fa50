"""The waybill: what seeds makes, as a courier's screen would show it."""

from dataclasses import dataclass
from datetime import datetime

from seeds.places import join_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Waybill:
    """One synthetic waybill. Weight in grams; origin and destination are division codes.

    `minute` is when the order is placed, counted from midnight in China; `ordered_at` the same
    with its day, once that is known.
    """

    number: str
    carrier: str
    name: str
    phone: str | None
    province: str
    city: str
    district: str
    detail: str
    goods: str
    weight_g: int
    origin: str
    destination: str
    sender_name: str
    minute: int = 0
    ordered_at: datetime | None = None

    @property
    def address(self) -> str:
        """The address in one line, as a label shows it."""
        return join_address(self.province, self.city, self.district, self.detail)
