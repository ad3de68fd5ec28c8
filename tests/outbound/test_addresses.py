"""Which addresses may be reached: the policy alone, without a network."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SettingsError
from engine.runtime.outbound.addresses import Allowed, as_address, is_public, may_ask_for, may_reach, read_allowed, read_host
from tests.outbound.conftest import words

NOT_PUBLIC = words("""
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
    169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
    198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:a00:1 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8
    64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1 2001::1 2001:0:7f00:1::1 2001:2::1 2001:10::1 2001:db8::1
    2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3ffe::1 3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fec0::1
    ff02::1 ff0e::1
""")
PUBLIC = words("""
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255
    2606:4700:4700::1111 2a00:1450:4001:82b::200e 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
""")
NEVER = words("0.0.0.0 169.254.169.254 169.254.1.1 fe80::1 fd00:ec2::254 100.100.100.200 168.63.129.16 192.0.0.192 ff02::1 ::")
FOURS = st.ip_addresses(v=4).map(str)


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = as_address(text)
    assert found is not None
    return found


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_addresses_of_networks_machines_and_clouds_are_not_public(text: str) -> None:
    assert not is_public(address(text))
    assert not is_public(ipaddress.ip_address(text))
    assert not may_reach(address(text), "shop.example", 443, ())


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(address(text))
    assert may_reach(address(text), "shop.example", 443, ())


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_private(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if is_public(one) and getattr(one, "ipv4_mapped", None) is None:
        assert one.is_global or one in ipaddress.ip_network("64:ff9b::/96")
        assert not (
            one.is_private or one.is_loopback or one.is_link_local or one.is_multicast or one.is_reserved or one.is_unspecified
        ) or (one in ipaddress.ip_network("64:ff9b::/96"))


@given(FOURS)
def test_an_address_in_another_ones_clothes_is_no_more_public_than_itself(text: str) -> None:
    inside = ipaddress.IPv4Address(text)
    high, low = int(inside) >> 16, int(inside) & 0xFFFF
    wrapped = [
        f"::ffff:{text}",
        f"64:ff9b::{text}",
        f"::{text}",
        f"::ffff:0:{text}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:{high:x}:{low:x}::",
    ]
    for one in wrapped:
        assert is_public(inside) or not is_public(ipaddress.ip_address(one))


@given(st.ip_addresses())
def test_an_address_is_public_in_whatever_form_it_is_written(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    again = read_host(f"[{one.exploded.upper()}]" if one.version == 6 else f"{one}.")
    assert again == str(as_address(str(one)))


@pytest.mark.parametrize(
    "text",
    words("""
    2130706433 017700000001 0x7f000001 0x7f.0.0.1 0X7F.0.0.1 0177.0.0.1 127.1 127.0.1 1 0 0x 127.0.0.01 127.0.0.0x1 127.0.0.1.. 256.1.1.1
    1.2.3.4.5 a.1 example.0x7f 127%2e0.0.1 １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 localhosţ bücher.example ⓛocalhost .example a..b a.b..
    -a.example a-.example [::1%25eth0] [fe80::1%eth0] [::1 ::1] [127.0.0.1] [] [::g] a@b a:b a/b a\\b a?b a#b a%00.example * a*b
    """),
)
def test_spellings_that_others_may_read_differently_are_no_hosts(text: str) -> None:
    assert read_host(text) is None


@pytest.mark.parametrize("text", ["", ".", " ", "a b", "a\tb", "a\n", "127.0.0.1\n", "x" * 64, ".".join(["x" * 63] * 4), "a\x00"])
def test_what_is_no_name_at_all_is_no_host(text: str) -> None:
    assert read_host(text) is None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example.", "shop.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a_b.example", "a_b.example"),
        ("1password.example", "1password.example"),
        ("8.8.8.8", "8.8.8.8"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::0001]", "::1"),
        ("[::FFFF:127.0.0.1]", "127.0.0.1"),
    ],
)
def test_a_host_has_one_form(text: str, host: str) -> None:
    assert read_host(text) == host


@given(st.text("abXx019.-_:[]%@/\\ １。％ａ", max_size=12))
def test_a_host_that_is_read_stays_what_it_is(text: str) -> None:
    host = read_host(text)
    if host is not None:
        assert read_host(f"[{host}]" if ":" in host else host) == host
        assert host.isascii()
        assert not set(host) & set("@/?#%\\ []")


@pytest.mark.parametrize("name", ["metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"])
def test_the_names_of_metadata_are_not_even_looked_up(name: str) -> None:
    assert not may_ask_for(name)


@pytest.mark.parametrize(
    ("entry", "host", "port", "found", "reached"),
    [
        ("intranet", "intranet", 80, "10.0.0.5", True),
        ("intranet", "other", 80, "10.0.0.5", False),
        ("intranet:8080", "intranet", 8080, "10.0.0.5", True),
        ("intranet:8080", "intranet", 80, "10.0.0.5", False),
        ("INTRANET.", "intranet", 80, "10.0.0.5", True),
        ("10.0.0.5", "10.0.0.5", 80, "10.0.0.5", True),
        ("10.0.0.5", "whoever.example", 80, "10.0.0.5", True),
        ("10.0.0.5:443", "whoever.example", 80, "10.0.0.5", False),
        ("10.0.0.5", "whoever.example", 80, "10.0.0.6", False),
        ("[::1]:8080", "::1", 8080, "::1", True),
        ("127.0.0.1", "127.0.0.1", 80, "::ffff:127.0.0.1", True),
        ("127.0.0.1", "shop.example", 80, "64:ff9b::127.0.0.1", False),
        ("intranet", "intranet", 80, "64:ff9b::127.0.0.1", False),
        ("intranet", "intranet", 80, "93.184.215.14", True),
    ],
)
def test_the_operator_opens_what_is_named_and_nothing_beside_it(entry: str, host: str, port: int, found: str, reached: bool) -> None:
    assert may_reach(address(found), host, port, read_allowed([entry])) is reached


@pytest.mark.parametrize("text", NEVER)
def test_metadata_and_links_stay_closed_whatever_the_operator_says(text: str) -> None:
    opened = (Allowed("shop.example"), Allowed(str(address(text))))
    assert not may_reach(address(text), "shop.example", 80, opened)


@pytest.mark.parametrize("entry", ["127.1", "intranet:0", "intranet:70000", "10.0.0.0/8", "[::1", "::1", "*", "", "a:b", "http://a"])
def test_an_entry_that_means_nothing_stops_the_start_by_name(entry: str) -> None:
    with pytest.raises(SettingsError, match="BATON_ALLOWED_HOSTS_OUTBOUND has"):
        read_allowed([entry])
