"""CEF and the syslog sender."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Thread
from typing import Any

import pytest

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.formats.base import EndpointConfig
from webhooks.outbound.formats.cef import CefFormat, cef_line
from webhooks.outbound.sending import Request
from webhooks.outbound.syslog import SyslogSender

Make = Callable[..., Any]
SENDER = SyslogSender(policy=AddressPolicy(allowed=("127.0.0.1",)), total_seconds=60)


def test_checked_line_of_the_description_holds(make_message: Make) -> None:
    message = make_message(title="Bait waybill seen | OUT-001", lines=["a=b|c"], count=1, link="")
    line = cef_line(message, "ExampleCourier")
    assert line.startswith(
        "CEF:0|ExampleCourier|WaybillCanary|1.0|incident.opened|Bait waybill seen \\| OUT-001|10|"
        "rt=1773815400000 externalId=INC-42 request=http://resale.example/list?p\\=1 "
        "cs1Label=leak_source cs1=OUT-001 "
    )
    assert line.endswith(" msg=a\\=b|c")


def test_hostile_line_stays_one_line(hostile_message: Any) -> None:
    line = cef_line(hostile_message, "V")
    assert "\n" not in line
    assert "\r" not in line


def render(make_message: Make, url: str, now: datetime) -> Request:
    return CefFormat().render(make_message(), EndpointConfig(url=url), now)


def test_udp_sends_one_datagram(make_message: Make, now: datetime) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        request = render(make_message, f"syslog+udp://127.0.0.1:{receiver.getsockname()[1]}", now)
        SENDER.send(request)
        assert receiver.recv(65_536) == request.body


def take_all(listener: socket.socket, taken: list[bytes], wrap: Any = None) -> Thread:
    def run() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            connection = wrap(connection) if wrap else connection
            with connection:
                while chunk := connection.recv(4096):
                    taken.append(chunk)

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_tcp_counts_octets(make_message: Make, now: datetime) -> None:
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = take_all(listener, taken)
        request = render(make_message, f"syslog+tcp://127.0.0.1:{listener.getsockname()[1]}", now)
        SENDER.send(request)
        thread.join(60)
    assert b"".join(taken) == str(len(request.body)).encode() + b" " + request.body


def test_tls_proves_the_name(
    make_message: Make, now: datetime, certificate: tuple[str, str]
) -> None:
    taken: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    policy = AddressPolicy(
        allowed=("siem.example", "other.example"), resolve=lambda _host, _port: ["127.0.0.1"]
    )
    sender = SyslogSender(policy=policy, total_seconds=60, ca_file=certificate[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = take_all(listener, taken, lambda one: context.wrap_socket(one, server_side=True))
        request = render(make_message, f"syslog+tls://siem.example:{port}", now)
        sender.send(request)
        thread.join(60)
    assert b"".join(taken).endswith(request.body)


def test_wrong_name_gets_nothing_by_tls(
    make_message: Make, now: datetime, certificate: tuple[str, str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    policy = AddressPolicy(allowed=("other.example",), resolve=lambda _host, _port: ["127.0.0.1"])
    sender = SyslogSender(policy=policy, total_seconds=60, ca_file=certificate[0])

    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        take_all(listener, taken, lambda one: context.wrap_socket(one, server_side=True))
        port = listener.getsockname()[1]
        with pytest.raises(DeliveryError):
            sender.send(render(make_message, f"syslog+tls://other.example:{port}", now))
    assert not taken


def test_closed_port_raises_delivery_error(make_message: Make, now: datetime) -> None:
    with socket.socket() as held:  # bound but not listening: nobody else can listen there either
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(DeliveryError):
            SENDER.send(render(make_message, f"syslog+tcp://127.0.0.1:{port}", now))


def test_inside_address_is_refused(make_message: Make, now: datetime) -> None:
    with pytest.raises(AddressRefused):
        SyslogSender().send(render(make_message, "syslog+udp://127.0.0.1", now))


@pytest.mark.parametrize("host", ["a b", "", "é", "x" * 99, "a\nb"])
def test_unusable_host_name_is_permanent(make_message: Make, now: datetime, host: str) -> None:
    config = EndpointConfig(url="syslog+udp://siem.example", options={"host": host})
    with pytest.raises(DeliveryError) as failure:
        CefFormat().render(make_message(), config, now)
    assert failure.value.permanent
