"""A QR code as a drawing for a template, where segno is installed (`waybill-canary[mfa]`)."""

from dataclasses import dataclass

QUIET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class QrDrawing:
    """Dark modules as one SVG path; `size` counts modules with the quiet zone."""

    size: int
    path: str


def draw_qr(text: str) -> QrDrawing | None:
    """Draw a QR code; None where the library is missing."""
    try:
        import segno
    except ModuleNotFoundError:
        return None
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
    dark = (
        f"M{column + QUIET} {line + QUIET}h1v1h-1z"
        for line, row in enumerate(rows)
        for column, module in enumerate(row)
        if module
    )
    return QrDrawing(size=len(rows) + 2 * QUIET, path="".join(dark))
