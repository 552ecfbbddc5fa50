"""Moments as people read them."""

from datetime import datetime, tzinfo


def write_moment(at: datetime, zone: tzinfo) -> str:
    """Write a time in `zone`, to the minute, with its offset: `2026-11-20 14:30 UTC+8`.

    The offset, not the zone's short name: CST is China's time and Chicago's.
    """
    local = at.astimezone(zone)
    offset = f"{local:%z}"
    hours, minutes = int(offset[1:3]), offset[3:5]
    rest = f":{minutes}" if minutes != "00" else ""
    return f"{local:%Y-%m-%d %H:%M} UTC{offset[0]}{hours}{rest}"
