"""Whom we call: addresses in the internet, and nothing behind our own walls (SEC-OUT-03)."""

import httpx
import pytest

from kit.outward import ANSWER_BYTES, NotOutward, Outward, client, is_public, outward_url, post

PUBLIC = ["8.8.8.8", "198.41.0.4", "2606:4700::1111", "::ffff:8.8.8.8"]
INWARD = [
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "240.0.0.1", "255.255.255.255"),
    *("224.0.0.1", "192.0.0.8", "192.88.99.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "fec0::1"),
    *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "::10.0.0.1", "5f00::1", "3fff::1", "2001::1"),
    *("2001:db8::1", "::ffff:10.0.0.1", "no address"),
]


@pytest.mark.rule("SEC-OUT-03")
@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_in_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.rule("SEC-OUT-03")
@pytest.mark.parametrize("address", INWARD)
def test_an_address_behind_a_wall_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://a.example/", "ftp://a.example/", "https://", "https://user@a.example/", "https://a.example/#x"),
        *("https://10.0.0.1/", "https://[::1]/", "https://127.0.0.1:8443/x"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_when_it_is_configured(url: str) -> None:
    with pytest.raises(NotOutward):
        outward_url(url)


def test_an_address_in_the_internet_may_be_configured() -> None:
    assert outward_url("https://a.example/hooks?x=1") == "https://a.example/hooks?x=1"


async def nowhere(_host: str, _port: int) -> list[str]:
    return []


@pytest.mark.parametrize("url", ["http://a.example/", "https://a.example:8443/", "https://a.example/"])
async def test_no_agreed_port_no_tls_or_no_address_is_no_call(url: str) -> None:
    async with client(Outward(resolve=nowhere)) as outside:
        with pytest.raises(NotOutward):
            await post(outside, url, b"", {})


async def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    async def public(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8"]

    long = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(b"x" * 10 * ANSWER_BYTES)))
    async with client(Outward(inner=long, resolve=public)) as outside:
        heard = await post(outside, "https://a.example/", b"", {})
    assert (heard.status, len(heard.body)) == (200, ANSWER_BYTES)
