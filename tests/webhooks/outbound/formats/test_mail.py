"""Mail and the SMTP sender, against a small SMTP server."""

import email
import email.policy
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Thread
from typing import Any

import pytest

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.formats.mail import MailFormat
from webhooks.outbound.mail import SmtpSender
from webhooks.outbound.sending import Answer, Request

Make = Callable[..., Any]
POLICY = AddressPolicy(allowed=("mail.example",), resolve=lambda _host, _port: ["127.0.0.1"])
OPTIONS = {"from": "canary@ours.example", "to": ["a@ours.example", "b@ours.example"]}


@dataclass
class SmallSmtp:
    """Speaks just enough SMTP; `replies` overrides what a command is answered."""

    listener: socket.socket
    context: ssl.SSLContext
    offers: str = "STARTTLS"
    replies: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    mail: bytes = b""

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def run(self) -> None:
        with suppress(OSError, ValueError):
            connection, _ = self.listener.accept()
            with connection:
                connection.sendall(b"220 mail.example\r\n")
                if self.talk(connection) == "STARTTLS":
                    with self.context.wrap_socket(connection, server_side=True) as secure:
                        self.offers = "AUTH PLAIN"
                        self.talk(secure)

    def talk(self, connection: socket.socket) -> str:
        lines = connection.makefile("rb")
        while line := lines.readline().decode().strip():
            self.commands.append(line)
            word = line.split(" ")[0].upper()
            answer = self.replies.get(word) or self.usual(word)
            connection.sendall(answer.encode() + b"\r\n")
            if word in ("STARTTLS", "QUIT"):
                return word
            if answer.startswith("354"):
                while (row := lines.readline()) != b".\r\n":
                    self.mail += row
                connection.sendall(b"250 taken\r\n")
        return ""

    def usual(self, word: str) -> str:
        known = {"EHLO": f"250-mail.example\r\n250 {self.offers}", "DATA": "354 go"}
        return {"STARTTLS": "220 go", "AUTH": "235 fine", **known}.get(word, "250 ok")


@pytest.fixture
def smtp(certificate: tuple[str, str]) -> Iterator[SmallSmtp]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = SmallSmtp(listener, context)
        Thread(target=server.run, daemon=True).start()
        yield server


@pytest.fixture
def send(
    smtp: SmallSmtp, certificate: tuple[str, str], make_message: Make, now: datetime
) -> Callable[..., Answer]:
    """Render a message, send it to the small server and judge the answer."""

    def run(sender: SmtpSender | None = None, **options: Any) -> Answer:
        config = EndpointConfig(
            url=f"smtp://mail.example:{smtp.port}",
            secrets=("pass word",),
            options={**OPTIONS, **options},
        )
        chosen = sender or SmtpSender(policy=POLICY, total_seconds=60, ca_file=certificate[0])
        answer = chosen.send(MailFormat().render(make_message(), config, now))
        MailFormat().judge(answer, now)
        return answer

    return run


def render(make_message: Make, now: datetime, **changes: Any) -> Any:
    config = EndpointConfig(url="smtp://mail.example", options=OPTIONS)
    message = replace(make_message(title="面单出现", link=""), **changes)
    raw = MailFormat().render(message, config, now).body
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_chinese_subject_comes_back(make_message: Make, now: datetime) -> None:
    assert render(make_message, now)["Subject"] == "面单出现"


def test_mails_of_one_incident_thread(make_message: Make, now: datetime) -> None:
    first = render(make_message, now)
    second = render(make_message, now, id="msg_2")
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"] == "<incident.INC-42@ours.example>"
    assert first["Auto-Submitted"] == "auto-generated"


def test_mail_arrives_by_starttls(send: Callable[..., Answer], smtp: SmallSmtp) -> None:
    assert send().status == 250
    assert "STARTTLS" in smtp.commands
    assert [one for one in smtp.commands if one.startswith("rcpt TO")] == [
        "rcpt TO:<a@ours.example>",
        "rcpt TO:<b@ours.example>",
    ]
    mail = email.message_from_bytes(smtp.mail, policy=email.policy.default)
    assert "Source OUT-001" in mail.get_content()


def test_credentials_go_by_tls_only(send: Callable[..., Answer], smtp: SmallSmtp) -> None:
    send(user="canary")
    auth = next(place for place, one in enumerate(smtp.commands) if one.startswith("AUTH"))
    assert smtp.commands.index("STARTTLS") < auth


def test_server_without_tls_gets_no_mail(send: Callable[..., Answer], smtp: SmallSmtp) -> None:
    smtp.offers = "SIZE"
    with pytest.raises(DeliveryError):
        send(user="canary")
    assert not [one for one in smtp.commands if one.startswith(("AUTH", "mail"))]


def test_listed_host_may_speak_plainly(send: Callable[..., Answer], smtp: SmallSmtp) -> None:
    smtp.offers = "AUTH PLAIN"
    plain = SmtpSender(policy=POLICY, total_seconds=60, plain_hosts=frozenset({"mail.example"}))
    assert send(plain, user="canary").status == 250
    assert not [one for one in smtp.commands if one.startswith("AUTH")]


@pytest.mark.parametrize(
    ("command", "reply", "permanent"),
    [
        ("MAIL", "550 no", True),
        ("MAIL", "451 later", False),
        ("RCPT", "550 unknown", True),
        ("RCPT", "450 greylisted", False),
        ("DATA", "554 spam", True),
        ("EHLO", "", False),
    ],
)
def test_refusals_are_told_apart(
    send: Callable[..., Answer], smtp: SmallSmtp, command: str, reply: str, permanent: bool
) -> None:
    smtp.replies[command] = reply or "\x00\xff garbage"
    with pytest.raises(DeliveryError) as failure:
        send()
    assert failure.value.permanent is permanent


def test_silent_server_is_cut(send: Callable[..., Answer], smtp: SmallSmtp) -> None:
    smtp.replies["EHLO"] = "250-still"
    patient = SmtpSender(policy=POLICY, total_seconds=0.3)
    with pytest.raises(DeliveryError, match="in time"):
        send(patient)


def test_inside_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        SmtpSender().send(Request(url="smtp://127.0.0.1:25", body=b""))


@pytest.mark.parametrize(
    "options", [{"from": ""}, {"from": "a@b\r\nBcc: x@y"}, {"to": None}, {"to": []}, {"to": ["x"]}]
)
def test_unusable_addresses_are_permanent(
    make_message: Make, now: datetime, options: dict[str, Any]
) -> None:
    config = EndpointConfig(url="smtp://mail.example", options={**OPTIONS, **options})
    with pytest.raises(DeliveryError) as failure:
        MailFormat().render(make_message(), config, now)
    assert failure.value.permanent
