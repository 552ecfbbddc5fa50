"""Which addresses may be called."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.errors import AddressRefused, DeliveryError
from webhooks.outbound.addresses import AddressPolicy, place_of

# The ones of the second line are global to Python's own judgement: the danger this guards from.
INSIDE_TEXT = """
127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
192.0.0.192 192.88.99.1 224.0.0.1 239.255.255.250 168.63.129.16
100.64.0.1 100.100.100.200 198.18.0.1 192.0.2.1 198.51.100.1 203.0.113.1 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::ffff:192.0.0.192
64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b::c000:c0 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1::
2002:c0a8:101::1 2001::1 2001:db8::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%1 fec0::1 ff02::1 100::1
3fff::1 5f00::1
"""
INSIDE = INSIDE_TEXT.split()
OUTSIDE = ["1.1.1.1", "8.8.8.8", "223.5.5.5", "2400:3200::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]
DISGUISED = [
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]/",
    "http://127.0.0.1/",
    "http://[fe80::1%251]/",
    "http://1.1/",
    "http://0/",
    "http://00000000177.1/",
    "http://2130706433./",
]
MALFORMED = [
    "",
    "receiver.example",
    "//receiver.example/",
    "file:///etc/passwd",
    "gopher://receiver.example/",
    "ftp://receiver.example/",
    "http:///x",
    "http://",
    "http://user:pw@receiver.example/",
    "http://receiver.example@127.0.0.1/",
    "http://receiver.example\\@127.0.0.1/",
    "http://receiver.example:0/",
    "http://receiver.example:99999/",
    "http://receiver.example:x/",
    "http://[::1/",
    "http://[v1.x]/",
    "http://receiver.example/ x",
    "http://receiver.example/\r\nHost: x",
    "http://receiver\u3002example/",
    "http://①②⑦.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://-x.example/",
    "http://" + "a" * 3000 + "/",
    "source:file:///etc/passwd",
    "http:/receiver.example",
    "javascript:alert(1)",
]


def resolving(*addresses: str) -> AddressPolicy:
    return AddressPolicy(resolve=lambda _host, _port: list(addresses))


def test_python_alone_would_call_metadata_services() -> None:
    """Prove the danger: these count as global in the standard library."""
    fooled = [a for a in INSIDE if ipaddress.ip_address(a).is_global]
    assert {"192.0.0.192", "168.63.129.16", "224.0.0.1"} & set(fooled)


@pytest.mark.parametrize("address", INSIDE)
def test_name_for_inside_address_is_refused(address: str) -> None:
    policy = resolving(address)
    with pytest.raises(AddressRefused):
        policy.addresses(policy.check_url("https://receiver.example/"))


@pytest.mark.parametrize("address", OUTSIDE)
def test_name_for_public_address_is_taken(address: str) -> None:
    policy = resolving(address)
    assert policy.addresses(policy.check_url("https://receiver.example/")) == [address]


@pytest.mark.parametrize("address", INSIDE)
def test_one_inside_answer_refuses_all(address: str) -> None:
    policy = resolving("1.1.1.1", address)
    with pytest.raises(AddressRefused):
        policy.addresses(policy.check_url("https://receiver.example/"))


@pytest.mark.parametrize("url", DISGUISED + MALFORMED)
def test_disguised_and_malformed_urls_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        AddressPolicy().check_url(url)


@pytest.mark.parametrize("port", [22, 25, 3306, 6379, 8080])
def test_other_ports_are_refused(port: int) -> None:
    policy = resolving("1.1.1.1")
    with pytest.raises(AddressRefused):
        policy.addresses(policy.check_url(f"http://receiver.example:{port}/"))


@pytest.mark.parametrize(
    ("allowed", "url", "answer", "fine"),
    [
        ("10.0.0.0/24", "http://siem.internal/", "10.0.0.5", True),
        ("10.0.0.0/24", "http://siem.internal/", "10.0.1.5", False),
        ("10.0.0.5:8088", "http://10.0.0.5:8088/", "10.0.0.5", True),
        ("10.0.0.5:8088", "http://10.0.0.5/", "10.0.0.5", False),
        ("10.0.0.5:8088", "http://10.0.0.5:8089/", "10.0.0.5", False),
        ("siem.internal", "https://siem.internal:8088/", "10.0.0.5", True),
        ("siem.internal", "https://SIEM.internal./", "10.0.0.5", True),
        ("siem.internal", "https://evil.siem.internal/", "10.0.0.5", False),
        ("siem.internal", "https://other.example/", "10.0.0.5", False),
        ("siem.internal:8088", "https://siem.internal:8088/", "10.0.0.5", True),
        ("siem.internal:8088", "https://siem.internal/", "10.0.0.5", False),
        ("fd00::/8", "http://[fd00::5]:9000/", "fd00::5", True),
        ("[fd00::/8]:443", "http://[fd00::5]:9000/", "fd00::5", False),
        ("127.0.0.1", "http://127.0.0.1:5000/", "127.0.0.1", True),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]:5000/", "::ffff:127.0.0.1", True),
    ],
)
def test_allow_list_opens_only_what_it_names(
    allowed: str, url: str, answer: str, fine: bool
) -> None:
    policy = AddressPolicy(allowed=(allowed,), resolve=lambda _host, _port: [answer])
    if fine:
        assert policy.addresses(policy.check_url(url)) == [answer]
    else:
        with pytest.raises(AddressRefused):
            policy.addresses(policy.check_url(url))


@pytest.mark.parametrize("answers", [[], ["nonsense"], [""]])
def test_useless_resolver_means_no_call(answers: list[str]) -> None:
    policy = AddressPolicy(resolve=lambda _host, _port: answers)
    with pytest.raises(DeliveryError):
        policy.addresses(policy.check_url("https://receiver.example/"))


def test_unresolved_name_is_worth_another_try() -> None:
    policy = AddressPolicy()
    with pytest.raises(DeliveryError) as refusal:
        policy.addresses(policy.check_url("https://receiver.example/"))
    assert not refusal.value.permanent


@given(st.text(max_size=60))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://receiver.example{text}"):
        try:
            place = place_of(url)
        except AddressRefused:
            continue
        assert place.host
        assert 0 < place.port < 65_536


@given(st.ip_addresses())
def test_private_addresses_never_pass(address: ipaddress.IPv4Address) -> None:
    policy = resolving(str(address))
    try:
        policy.addresses(policy.check_url("https://receiver.example/"))
    except AddressRefused:
        return
    assert address.is_global
