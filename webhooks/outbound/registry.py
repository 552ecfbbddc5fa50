"""All formats by name."""

from webhooks.outbound.formats.base import Format
from webhooks.outbound.formats.standard import StandardFormat

FORMATS: dict[str, Format] = {
    "standard": StandardFormat(),
}
