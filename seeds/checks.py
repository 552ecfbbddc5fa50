"""Check digits of waybill numbers. Sources: the carriers' and standards' public rules.

Bodies are ASCII digits (and upper-case letters where said); every function returns one character.
"""

_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_FEDEX_WEIGHTS = (3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def s10(serial: str) -> str:
    """Check digit of the postal S10 form over eight digits: 10 becomes 0, 11 becomes 5."""
    rest = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, serial, strict=True))
    check = 11 - rest % 11
    return {10: "0", 11: "5"}.get(check, str(check))


def mod7(body: str) -> str:
    """Remainder of the whole number by seven (DHL Express, ZJS, Japanese parcels)."""
    return str(int(body) % 7)


def mod10_right(body: str) -> str:
    """GS1 modulo 10, weights 3, 1 from the right (SSCC, USPS)."""
    total = sum(int(digit) * (1 if i % 2 else 3) for i, digit in enumerate(reversed(body)))
    return str(-total % 10)


def mod10_left(body: str) -> str:
    """Modulo 10, weights 1, 3 from the left (FedEx Ground)."""
    total = sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(body))
    return str(-total % 10)


def fedex12(body: str) -> str:
    """FedEx Express over eleven digits: weighted sum by 11, then by 10."""
    total = sum(weight * int(digit) for weight, digit in zip(_FEDEX_WEIGHTS, body, strict=True))
    return str(total % 11 % 10)


def ups(body: str) -> str:
    """UPS over 15 characters after 1Z: letters count (code point - 3) mod 10, every 2nd twice."""
    total = 0
    for i, char in enumerate(body):
        value = int(char) if char.isdigit() else (ord(char) - 3) % 10
        total += value * 2 if i % 2 else value
    return str(-total % 10)


def mod37_36(body: str) -> str:
    """ISO 7064 hybrid modulo 37, 36 over digits and letters (DPD)."""
    check = 36
    for char in body:
        check = (check + _ALPHANUMERIC.index(char)) % 36 or 36
        check = check * 2 % 37
    return _ALPHANUMERIC[(1 - check) % 36]
