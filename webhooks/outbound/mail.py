"""Send one mail by SMTP."""

import smtplib
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field

from webhooks.errors import DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.lines import Line
from webhooks.outbound.sending import Answer, Request, Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSender(Sender):
    """Sends under an address policy, by `smtps` or by `smtp` with STARTTLS.

    `plain_hosts` may be spoken to without TLS, and then never with credentials.
    """

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    total_seconds: float = 15.0
    ca_file: str | None = None
    plain_hosts: frozenset[str] = frozenset()
    local_name: str = "waybill-canary"

    def check(self, url: str) -> None:
        """Refuse a URL by its form and by what it resolves to now."""
        self.policy.addresses(self.policy.check_url(url))

    def send(self, request: Request) -> Answer:
        """Send once; the answer carries SMTP's code, with 250 for taken."""
        place = self.policy.check_url(request.url)
        line = Line(self.policy, place, total_seconds=self.total_seconds)
        try:
            with line, closing(self._session(line)) as session:
                answer = self._hand_over(session, line, request)
                # Taken is taken, however the server says goodbye.
                with suppress(smtplib.SMTPException, OSError):
                    session.quit()
                return answer
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return Answer(status=code, body=_bytes(said))
        except smtplib.SMTPResponseException as error:
            return Answer(status=error.smtp_code, body=_bytes(error.smtp_error))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            reason = "no answer in time" if line.is_over else "no usable connection"
            raise DeliveryError(reason) from error

    def _session(self, line: Line) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self.ca_file)
        session = _Session(line, context if line.place.scheme == "smtps" else None, self.local_name)
        try:
            session.connect(line.place.host, line.place.port)
            session.ehlo_or_helo_if_needed()
            if line.place.scheme == "smtp" and line.place.host not in self.plain_hosts:
                session.starttls(context=context)
        except BaseException:
            session.close()
            raise
        return session

    def _hand_over(self, session: smtplib.SMTP, line: Line, request: Request) -> Answer:
        if request.credentials and line.place.host not in self.plain_hosts:
            session.login(*request.credentials)
        recipients = request.headers["to"].split(",")
        refused = session.sendmail(request.headers["from"], recipients, request.body)
        # Some took it: sending again would tell those twice, so the rest is only noted.
        return Answer(status=250, body=", ".join(sorted(refused)).encode())


class _Session(smtplib.SMTP):
    def __init__(self, line: Line, context: ssl.SSLContext | None, local_name: str) -> None:
        self._line = line
        self._context = context
        super().__init__(local_hostname=local_name)
        # STARTTLS proves this name.
        self._host = line.place.host

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002  # smtplib's own signature
        made = self._line.connect()
        if self._context is None:
            return made
        return self._context.wrap_socket(made, server_hostname=host)


def _bytes(said: bytes | str) -> bytes:
    return said.encode("utf-8", "replace") if isinstance(said, str) else said
