"""JSON Web Tokens of an issuer that the server trusts: checked, and turned into the tenant and scopes they speak of.

Which algorithms are taken is settled by the settings and the kind of each key, never by the token. Not here: API keys
(service.py), what is remembered between requests (api/door.py).
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from engine.access.roles import PREFIX as ROLE
from engine.access.scopes import mask
from engine.access.service import Identity
from engine.clock import Clock
from engine.config import TENANT, Settings
from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from jwt import PyJWK

log = logging.getLogger("allot.door")

KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The kind of key that algorithms of this beginning need."""
LOOK_AGAIN_SECONDS = 30.0
LEAST_RSA_BITS = 2048
LONGEST_SUBJECT = 128
_NEEDED = ["exp", "iat", "iss", "aud", "sub"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """One key by which tokens are checked; its algorithm is None where it may be any of its kind."""

    kid: str | None
    kind: str
    algorithm: str | None
    key: Any


class BearerTokens:
    """Checks tokens by a file of public keys, or by one secret; a file that changes is read again."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Read the keys; raises InvalidInput, naming the settings that are missing or do not fit."""
        import jwt

        self._jwt, self._clock, self._settings = jwt, clock, settings
        _check(settings)
        self._algorithms = frozenset(settings.jwt_algorithms.split(","))
        self._file, self._read_at, self._stamp = settings.jwt_keys_file, 0.0, (0, 0)
        secret = settings.jwt_secret
        if secret is not None:
            self._algorithms = frozenset(["HS256"])
            key = VerifyingKey(kid=None, kind="oct", algorithm="HS256", key=secret.get_secret_value().encode())
            self._keys = [key]
        else:
            self._keys = self._read()

    def identify(self, token: str) -> Identity | None:
        """Return who brings a token; None if it is good for nothing."""
        try:
            header = self._jwt.get_unverified_header(token)
            key = self._key_for(header.get("kid"), header.get("alg"))
            if key is None:
                return None
            claims = self._jwt.decode(
                token,
                key.key,
                algorithms=[header["alg"]],
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                leeway=self._settings.jwt_leeway_seconds,
                options={"require": _NEEDED},
            )
        except (self._jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        return self._identity(claims)

    def _identity(self, claims: dict[str, Any]) -> Identity | None:
        tenant, subject = claims.get(self._settings.jwt_tenant_claim), claims["sub"]
        if not isinstance(tenant, str) or not re.fullmatch(TENANT, tenant):
            return None
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            return None
        named = _words(claims.get("scope", claims.get("scp", "")))
        of_roles = self._settings.jwt_roles_claim
        roles = [] if of_roles is None else _words(claims.get(of_roles, ""))
        if named is None or roles is None:
            return None
        named = [*(scope for scope in named if not scope.startswith(ROLE)), *(ROLE + role for role in roles)]
        left = float(claims["exp"]) + self._settings.jwt_leeway_seconds - self._clock.now().timestamp()
        return Identity(tenant=tenant, holder=f"jwt:{tenant}:{subject}", mask=mask(named), seconds_left=left)

    def _key_for(self, kid: object, algorithm: object) -> VerifyingKey | None:
        """Return the key that a token names, or the only one if it names none; None if it is not for its algorithm."""
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            return None
        self._look_again()
        if kid is None:
            found = self._keys[0] if len(self._keys) == 1 else None
        else:
            found = next((key for key in self._keys if key.kid == kid), None)
            if found is None and len(self._keys) == 1 and self._keys[0].kid is None:
                found = self._keys[0]
        if found is None or found.algorithm not in (None, algorithm):
            return None
        return found if found.kind == KINDS.get(algorithm[:2], "oct") else None

    def _look_again(self) -> None:
        """Read the file again if it has changed; one that cannot be read leaves the keys as they are."""
        if self._file is None or monotonic() < self._read_at + LOOK_AGAIN_SECONDS:
            return
        try:
            stat = self._file.stat()
            self._read_at = monotonic()
            if (stat.st_mtime_ns, stat.st_size) != self._stamp:
                self._keys = self._read()
        except (InvalidInput, OSError) as error:
            self._read_at = monotonic()
            log.warning("the keys of tokens stay as they are: %s", error)

    def _read(self) -> list[VerifyingKey]:
        """Return the keys of the file; raises InvalidInput."""
        assert self._file is not None
        try:
            stat = self._file.stat()
            text = self._file.read_text(encoding="utf-8")
            self._read_at, self._stamp = monotonic(), (stat.st_mtime_ns, stat.st_size)
            found = _of_pem(text) if "-----BEGIN" in text else [_of_jwk(key) for key in self._set(text)]
        except (OSError, ValueError, self._jwt.PyJWTError) as error:
            raise _fault("JWT_KEYS_FILE", f"{self._file}: {error}") from None
        names = [key.kid for key in found]
        if len(set(names)) != len(names):
            raise _fault("JWT_KEYS_FILE", f"{self._file}: several keys need a different 'kid' each")
        return found

    def _set(self, text: str) -> list[PyJWK]:
        plain = json.loads(text)
        keys = plain.get("keys") if isinstance(plain, dict) else None
        if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
            raise ValueError("is neither a JWK set nor a key in PEM form")
        if any("d" in key or key.get("kty") == "oct" for key in keys):
            raise ValueError("holds a key that must stay secret; give the public ones only")
        return list(self._jwt.PyJWKSet.from_dict(plain).keys)


def tokens_of(settings: Settings, clock: Clock) -> BearerTokens | None:
    """Return what checks tokens, or None if no setting speaks of them; raises InvalidInput."""
    given = (settings.jwt_issuer, settings.jwt_audience, settings.jwt_keys_file, settings.jwt_secret)
    return None if all(one is None for one in given) else BearerTokens(settings, clock)


def _check(settings: Settings) -> None:
    for name in ("jwt_issuer", "jwt_audience"):
        if not getattr(settings, name):
            raise _fault(name.upper(), "is needed to take tokens; say whose they are, and for whom")
    if (settings.jwt_keys_file is None) == (settings.jwt_secret is None):
        raise _fault("JWT_KEYS_FILE", "give either a file of public keys, or ALLOT_JWT_SECRET")


def _words(claim: object) -> list[str] | None:
    """Return the words of a claim, a text or a list; None if it is neither."""
    named = claim.split() if isinstance(claim, str) else claim
    if not isinstance(named, list) or not all(isinstance(word, str) for word in named):
        return None
    return named


def _of_jwk(key: PyJWK) -> VerifyingKey:
    declared = key.algorithm_name if "alg" in key._jwk_data else None
    _check_size(key.key)
    return VerifyingKey(kid=key.key_id, kind=key.key_type or "", algorithm=declared, key=key.key)


def _of_pem(text: str) -> list[VerifyingKey]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in text:
        raise ValueError("holds a key that must stay secret; give the public one only")
    key = load_pem_public_key(text.encode())
    kinds = {rsa.RSAPublicKey: "RSA", ec.EllipticCurvePublicKey: "EC", ed25519.Ed25519PublicKey: "OKP"}
    kind = next((name for which, name in kinds.items() if isinstance(key, which)), None)
    if kind is None:
        raise ValueError("is of no kind that is taken; give an RSA, elliptic-curve or Ed25519 key")
    _check_size(key)
    return [VerifyingKey(kid=None, kind=kind, algorithm=None, key=key)]


def _check_size(key: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise ValueError(f"holds an RSA key of {key.key_size} bits; {LEAST_RSA_BITS} are the least")


def _fault(name: str, message: str) -> InvalidInput:
    return InvalidInput(Fault(path=f"ALLOT_{name}", message=message))
