"""Mail, threaded per incident."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from webhooks.errors import DeliveryError
from webhooks.messages import Message
from webhooks.outbound.formats.base import EndpointConfig, Format
from webhooks.outbound.formats.wording import (
    chat_lines,
    cut,
    group_of,
    link_of,
    open_label,
)
from webhooks.outbound.sending import Answer, Request

_ADDRESS = re.compile(r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~.-]{1,64}@[0-9A-Za-z.-]{1,190}")
MOST_SUBJECT = 150


class MailFormat(Format):
    """Writes a plain-text mail; the URL is `smtps://host` or `smtp://host:587`.

    Options: `from`, `to` (one address or a list), `user` whose password is the first secret.
    """

    name = "mail"

    def render(self, message: Message, config: EndpointConfig, now: datetime) -> Request:
        """Return the mail with its envelope; its id is the message's over all attempts."""
        sender = _address(config.options.get("from"))
        given = config.options.get("to")
        recipients = [_address(one) for one in (given if isinstance(given, list) else [given])]
        if not recipients:
            raise DeliveryError("option to names nobody", permanent=True)
        mail = EmailMessage(policy=SMTP)
        domain = sender.rpartition("@")[2]
        mail["Subject"] = cut(chat_lines(message)[0], MOST_SUBJECT)
        mail["From"] = sender
        mail["To"] = ", ".join(recipients)
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{_atom(message.id)}@{domain}>"
        thread = f"<incident.{_atom(group_of(message))}@{domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(_body(message), cte="base64")
        user = str(config.options.get("user", ""))
        return Request(
            url=config.url,
            body=mail.as_bytes(),
            headers={"from": sender, "to": ",".join(recipients)},
            credentials=(user, config.secrets[0]) if user and config.secrets else None,
        )

    def judge(self, answer: Answer, _now: datetime) -> None:
        """Take 2xx; SMTP's 4xx passes, its 5xx is permanent."""
        if 200 <= answer.status < 300:
            return
        raise DeliveryError(
            f"answered {answer.status}",
            permanent=500 <= answer.status < 600,
            answer=answer.excerpt,
        )


def _body(message: Message) -> str:
    lines = chat_lines(message)[1:]
    link = link_of(message)
    return "\n".join([*lines, *(["", f"{open_label(message)}: {link}"] if link else [])]) + "\n"


def _address(value: object) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise DeliveryError("options from and to are no mail addresses", permanent=True)
    return value


def _atom(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z_-]", "_", text)[:100]
