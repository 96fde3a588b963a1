"""Nothing is ever sent to an address that is not public, however it is named, and however names change meanwhile.

The forbidden receiver listens on 127.0.0.1. Where a test needs a public address, 127.0.0.2 is taken for one.
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address

import pytest
from webhooks.receiver import Receiver

from engine.webhooks.sending import Sender
from engine.webhooks.targets import TargetRefused, Targets, is_public

PUBLIC = ip_address("127.0.0.2")


def names(*answers: list[str]):  # type: ignore[no-untyped-def]
    """Return a resolver that gives one answer after another, the last one for ever."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "[::]"],
)
async def test_no_name_of_this_machine_is_sent_to(host: str, tls: ssl.SSLContext) -> None:
    async with Receiver() as forbidden:
        for scheme in ("http", "https"):
            url = f"{scheme}://{host}:{forbidden.port}/"
            with pytest.raises(TargetRefused):
                await Targets().check(url)
            async with Sender(Targets(), tls) as sender:
                sent = await sender.send(url, {}, b"{}")
            assert sent.status is None
            assert (sent.error or "").startswith("refused: ")
        assert forbidden.requests == 0


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
        *("0.0.0.0", "192.0.2.1", "198.18.0.1", "240.0.0.1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1", "::"),
    ],
)
def test_addresses_that_are_not_public_are_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "unix", "gopher", ""])
async def test_only_https_is_taken(scheme: str) -> None:
    with pytest.raises(TargetRefused):
        await Targets(resolve=names(["93.184.216.34"])).check(f"{scheme}://example.com/x")


@pytest.mark.parametrize(
    "url",
    [
        *("https://user:secret@example.com/", "https://example.com/#part", "https://", "https:///path", "x" * 3000),
        *("https://example.com:99999/", "https://exa mple.com/", "https://example.com/\r\nHost: inner"),
    ],
)
async def test_urls_that_mislead_are_refused(url: str) -> None:
    with pytest.raises(TargetRefused):
        await Targets(resolve=names(["93.184.216.34"])).check(url)


async def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    targets = Targets(resolve=names(["93.184.216.34", "10.0.0.1"]))
    with pytest.raises(TargetRefused):
        await targets.check("https://example.com/")


async def test_a_name_that_changes_after_it_was_checked_leads_nowhere_else(tls: ssl.SSLContext) -> None:
    """Seeded bug that it catches: the request goes to the name, which is resolved once more, to 127.0.0.1."""
    async with Receiver() as forbidden, Receiver("127.0.0.2", forbidden.port) as good:
        good.is_trusting = True
        targets = _http(names(["127.0.0.2"], ["127.0.0.1"]))
        async with Sender(targets, tls) as sender:
            first = await sender.send(f"http://localhost:{good.port}/a?b=c", {}, b"{}")
            second = await sender.send(f"http://localhost:{good.port}/a?b=c", {}, b"{}")
        assert first.status == 200
        assert good.heads[0]["host"] == f"localhost:{good.port}"
        assert second.status is None
        assert (second.error or "").startswith("refused: ")
        assert (good.requests, forbidden.requests) == (1, 0)


async def test_an_answer_that_never_ends_is_not_waited_for(tls: ssl.SSLContext) -> None:
    async with Receiver() as slow:
        slow.pause_seconds = 5
        async with Sender(Targets(allow_private=True), tls, timeout_seconds=0.2) as sender:
            sent = await sender.send(slow.url, {}, b"{}")
        assert sent.error == "no answer within 0.2 s"
        assert sent.duration_ms < 2000


class _http(Targets):  # noqa: N801 - a Targets that takes http, as if it were https
    def __init__(self, resolve) -> None:  # type: ignore[no-untyped-def]
        super().__init__(resolve=resolve, is_allowed=lambda address: address == PUBLIC)

    def _parts(self, url: str) -> tuple[str, str, int, str]:
        scheme, host, port, path = super()._parts(url.replace("http://", "https://"))
        return scheme.replace("https", "http"), host, port, path
