from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.storage.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/store.sock", Address(socket_path="/run/store.sock")),
        ("unix:///run/store.sock", Address(socket_path="/run/store.sock")),
        ("redis://localhost", Address(host="localhost", port=6379)),
        ("redis://:s%40crt@10.0.0.1:7000/2", Address(host="10.0.0.1", port=7000, password="s@crt", database=2)),
        ("rediss://me:pw@[::1]:6380", Address(host="::1", port=6380, is_tls=True, username="me", password="pw")),
    ],
)
def test_an_address_is_read_in_each_form(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "http://host", "redis://", "redis://host:port", "redis://host/one", "unix://"])
def test_an_address_that_cannot_be_read_names_the_setting_and_the_forms(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"ALLOT_REDIS_URL: .*redis://host:6379/0"):
        parse_address(text)


def test_the_password_is_never_shown() -> None:
    address = parse_address("rediss://me:secret@host:6380/1")
    assert "secret" not in str(address) + repr(address)
    assert str(address) == "rediss://host:6380"
