"""When orders are placed: few at night, most in the late morning and in the evening."""

from seeds.draws import Draws

# Own estimate of orders for each hour of the day, in thousandths.
_SHARES = (
    22, 12, 7, 5, 4, 6, 12, 22, 38, 58, 70, 66, 56, 56, 60, 60, 58, 54, 50, 56, 66, 72, 60, 30,
)  # fmt: skip
_HOURS = tuple(hour for hour, share in enumerate(_SHARES) for _ in range(share))


def draw_minutes(count: int, draws: Draws) -> list[int]:
    """Draw the minute of the day, from midnight in China, of so many orders."""
    return [
        60 * _HOURS[place // 60] + place % 60 for place in draws.column(count, 60 * len(_HOURS))
    ]
