"""Send one syslog message by UDP, TCP or TLS."""

import socket
import ssl
from dataclasses import dataclass, field

from webhooks.errors import DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.lines import Line
from webhooks.outbound.sending import Answer, Request, Sender

# What fits a datagram everywhere; RFC 5426 asks for at least 480.
DATAGRAM_BYTES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogSender(Sender):
    """Sends under an address policy; TCP and TLS frame by octet counting (RFC 6587).

    Syslog has no answer: what the system took counts as sent.
    """

    policy: AddressPolicy = field(default_factory=AddressPolicy)
    total_seconds: float = 15.0
    ca_file: str | None = None

    def check(self, url: str) -> None:
        """Refuse a URL by its form and by what it resolves to now."""
        self.policy.addresses(self.policy.check_url(url))

    def send(self, request: Request) -> Answer:
        """Send once; raises DeliveryError when there is no connection."""
        place = self.policy.check_url(request.url)
        line = Line(self.policy, place, total_seconds=self.total_seconds)
        try:
            with line:
                self._transmit(line, request.body)
        except OSError as error:
            raise DeliveryError("no connection") from error
        return Answer(status=200)

    def _transmit(self, line: Line, body: bytes) -> None:
        if line.place.scheme == "syslog+udp":
            with line.connect(socket.SOCK_DGRAM) as made:
                made.send(body[:DATAGRAM_BYTES].decode("utf-8", "ignore").encode())
            return
        framed = str(len(body)).encode() + b" " + body
        with line.connect() as made:
            if line.place.scheme != "syslog+tls":
                _send_all(made, framed)
                return
            context = ssl.create_default_context(cafile=self.ca_file)
            with context.wrap_socket(made, server_hostname=line.place.host) as secure:
                _send_all(secure, framed)


def _send_all(made: socket.socket, framed: bytes) -> None:
    made.sendall(framed)
    # Without a proper end the last bytes can be lost with the connection.
    made.shutdown(socket.SHUT_WR)
