"""All readers by name."""

from webhooks.inbound.readers.page import PageReader
from webhooks.inbound.readers.smsforwarder import SmsForwarderReader
from webhooks.inbound.readers.standard import StandardReader
from webhooks.inbound.reading import Reader

READERS: dict[str, Reader] = {
    "standard": StandardReader(),
    "smsforwarder": SmsForwarderReader(),
    "page": PageReader(),
}
