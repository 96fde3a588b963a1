"""Sealing personal data under a key: AES-256-GCM, a fresh nonce each time, bound to whose they are and what for.

What is sealed without the key is as good as gone. Not here: where keys are kept (keys.py, store.py).
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import Unavailable

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


def new_key() -> bytes:
    """Return a key of chance."""
    return secrets.token_bytes(KEY_BYTES)


def sealed(key: bytes, plain: bytes, bound_to: str) -> bytes:
    """Return what only this key opens, and only for the same purpose."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def opened(key: bytes, closed: bytes, bound_to: str) -> bytes:
    """Return what was sealed; raises Unavailable if this is not its key."""
    if closed[:1] != _VERSION:
        raise Unavailable("Personal data were sealed by a later version of allot; use that one.")
    nonce, rest = closed[1 : 1 + _NONCE_BYTES], closed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, rest, bound_to.encode())
    except InvalidTag:
        raise Unavailable("Personal data do not open with the key that is kept for them.") from None


def sealed_text(key: bytes, plain: bytes, bound_to: str) -> str:
    """Return `sealed` as text."""
    return b64encode(sealed(key, plain, bound_to)).decode()


def opened_text(key: bytes, closed: str, bound_to: str) -> bytes:
    """Return what `sealed_text` sealed."""
    return opened(key, b64decode(closed), bound_to)


def keyed_digest(key: bytes, purpose: str, text: bytes) -> str:
    """Return a digest that tells nothing to those without the key: half of an HMAC-SHA256, in hex."""
    return hmac.new(key, purpose.encode() + b"\0" + text, sha256).hexdigest()[:32]


def email_of(text: str) -> str:
    """Return an e-mail address as it is compared: without space around it, in lower case."""
    return text.strip().casefold()


def phone_of(text: str) -> str:
    """Return a telephone number as it is compared: its digits, without leading zeros."""
    return "".join(mark for mark in text if mark.isdecimal()).lstrip("0")


def terms_of(root: bytes, emails: Iterable[str], phones: Iterable[str]) -> tuple[str, ...]:
    """Return what a customer is found by: a keyed digest of each address and number, from which nobody reads it."""
    found = {keyed_digest(root, "email", email_of(each).encode()) for each in emails if email_of(each)}
    found |= {keyed_digest(root, "phone", phone_of(each).encode()) for each in phones if phone_of(each)}
    return tuple(sorted(found))
