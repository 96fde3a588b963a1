"""JSON Web Tokens: those of the trusted issuer get in, and none that is forged, stale, or meant for somebody else.

The seeded bugs: algorithms taken from the token, an audience that is not asked for, and an end that is not looked at.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr

from engine.access.bearer import BearerTokens, tokens_of
from engine.access.scopes import bit, mask
from engine.clock import SystemClock
from engine.config import Settings, read_settings
from engine.errors import InvalidInput
from tests.api.test_access import bearer

ISSUER, AUDIENCE = "https://login.example.com/", "allot"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
SECRET = "a-secret-of-more-than-thirty-two-characters"


def pem(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk_set(**keys) -> str:
    found = []
    for kid, (key, algorithm) in keys.items():
        of = jwt.algorithms.get_default_algorithms()[algorithm]
        found.append({**json.loads(of.to_jwk(key.public_key())), "kid": kid, "alg": algorithm, "use": "sig"})
    return json.dumps({"keys": found})


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(jwk_set(rsa=(RSA, "RS256"), ec=(EC, "ES256"), ed=(ED, "EdDSA")))
    return path


@pytest.fixture
def settings(store_address: str, tenant: str, keys_file: Path) -> Settings:
    return Settings(
        redis_url=store_address,
        tenant=tenant,
        durability="memory",
        auth="keys",
        jwt_issuer=ISSUER,
        jwt_audience=AUDIENCE,
        jwt_keys_file=keys_file,
    )


def claims(whose: str, **changed: object) -> dict[str, object]:
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "checkout",
        "iat": now,
        "exp": now + 60,
        "tenant": whose,
        "scope": "network:read orders:read",
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def signed(claims: dict[str, object], key=RSA, algorithm: str = "RS256", **header: object) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "rsa", **header})


def by_hand(header: dict[str, object], claims: dict[str, object], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


async def test_a_token_of_the_issuer_gets_in_for_its_tenant_and_what_it_says(http, tenant):
    for token in (
        signed(claims(tenant)),
        signed(claims(tenant), EC, "ES256", kid="ec"),
        signed(claims(tenant, scope=None, scp=["network:read"]), ED, "EdDSA", kid="ed"),
    ):
        assert (await http.get("/v1/network", headers=bearer(token))).status_code == 404
        assert (await http.get("/v1/catalog", headers=bearer(token))).status_code == 403
    put = signed(claims(f"{tenant}-other", scope="policies:*"))
    assert (await http.put("/v1/policies/peak", json={"about": "x"}, headers=bearer(put))).status_code == 200
    seen = [
        (await http.get("/v1/policies", headers=bearer(signed(claims(name, scope="policies:read"))))).json()["data"]
        for name in (tenant, f"{tenant}-other")
    ]
    assert [len(each) for each in seen] == [0, 1]


def wrong_tokens(tenant: str) -> dict[str, str]:
    now, good = int(time.time()), claims(tenant)
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    header, body, signature = signed(good).split(".")
    other = by_hand({}, {**good, "scope": "*"}).split(".")[1]
    import hashlib
    import hmac

    confused = by_hand({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, good).rsplit(".", 1)[0]
    mac = base64.urlsafe_b64encode(hmac.digest(public, confused.encode(), hashlib.sha256)).decode().rstrip("=")
    return {
        "forged": signed(good, stranger),
        "changed": f"{header}.{other}.{signature}",
        "without a signature": f"{header}.{body}.",
        "none": by_hand({"alg": "none", "typ": "JWT"}, good),
        "None": by_hand({"alg": "None", "typ": "JWT", "kid": "rsa"}, good),
        "the public key as a secret": f"{confused}.{mac}",
        "a secret": jwt.encode(good, SECRET, algorithm="HS256", headers={"kid": "rsa"}),
        "another algorithm of the key": signed(good, RSA, "PS256"),
        "an algorithm that is not allowed": signed(good, RSA, "RS384"),
        "another key's name": signed(good, RSA, kid="ec"),
        "an unknown key": signed(good, stranger, kid="mine"),
        "no key's name": jwt.encode(good, RSA, algorithm="RS256"),
        "a key that it brings itself": signed(good, stranger, jwk={"kty": "RSA"}, jku="http://127.0.0.1/keys"),
        "expired": signed(claims(tenant, exp=now - 31)),
        "not yet": signed(claims(tenant, nbf=now + 60)),
        "made in the future": signed(claims(tenant, iat=now + 60)),
        "wrong audience": signed(claims(tenant, aud="billing")),
        "wrong issuer": signed(claims(tenant, iss="https://login.example.com")),
        **{
            f"no {name}": signed(claims(tenant, **{name: None}))
            for name in ("exp", "iat", "iss", "aud", "sub", "tenant")
        },
        "no such tenant": signed(claims("No Good")),
        "a tenant of several": signed(claims(tenant, tenant=[tenant])),
        "scopes of no kind": signed(claims(tenant, scope={"network": "read"})),
        "critical and unknown": signed(good, RSA, crit=["exp2"], exp2=1),
        "no token": "a.b.c",
    }


async def test_no_other_token_gets_in(http, tenant):
    for what, token in wrong_tokens(tenant).items():
        answer = await http.get("/v1/network", headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), what
        assert token not in answer.text


def test_a_token_is_remembered_no_longer_than_it_is_good(settings, tenant):
    found = BearerTokens(settings, SystemClock()).identify(signed(claims(tenant)))
    assert found is not None
    assert 85 < found.seconds_left <= 90
    assert found.holder == f"jwt:{tenant}:checkout"


def test_a_secret_takes_tokens_signed_with_it_and_no_others(settings, tenant):
    by_secret = settings.model_copy(update={"jwt_keys_file": None, "jwt_secret": SecretStr(SECRET)})
    tokens = BearerTokens(by_secret, SystemClock())
    assert tokens.identify(jwt.encode(claims(tenant), SECRET, algorithm="HS256")) is not None
    assert tokens.identify(jwt.encode(claims(tenant), SECRET + "!", algorithm="HS256")) is None
    assert tokens.identify(jwt.encode(claims(tenant), SECRET * 2, algorithm="HS512")) is None
    assert tokens.identify(signed(claims(tenant))) is None


def test_keys_that_change_are_read_again_and_spoilt_ones_are_not(settings, keys_file, tenant, monkeypatch):
    monkeypatch.setattr("engine.access.bearer.LOOK_AGAIN_SECONDS", 0.0)
    tokens = BearerTokens(settings, SystemClock())
    keys_file.write_text(pem(EC))
    assert tokens.identify(signed(claims(tenant))) is None
    assert tokens.identify(signed(claims(tenant), EC, "ES256", kid="ec")) is not None
    keys_file.write_text("{}")
    assert tokens.identify(signed(claims(tenant), EC, "ES256", kid="ec")) is not None


def test_settings_that_do_not_fit_together_are_named_and_secrets_are_not_shown(settings, keys_file, monkeypatch):
    private = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert tokens_of(Settings(), SystemClock()) is None
    spoilt = {private: "must stay secret", pem(small): "1024 bits", "x": "keys.json", "{}": "neither a JWK set"}
    for content, words in spoilt.items():
        keys_file.write_text(content)
        with pytest.raises(InvalidInput, match=words) as found:
            BearerTokens(settings, SystemClock())
        assert private not in str(found.value)
    for missing in ("jwt_issuer", "jwt_audience", "jwt_keys_file"):
        with pytest.raises(InvalidInput, match=f"ALLOT_{missing.upper()}"):
            BearerTokens(settings.model_copy(update={missing: None}), SystemClock())
    monkeypatch.setenv("ALLOT_JWT_SECRET", "far-too-short")
    with pytest.raises(InvalidInput, match="ALLOT_JWT_SECRET") as found:
        read_settings()
    assert "far-too-short" not in str(found.value)
    monkeypatch.setenv("ALLOT_JWT_SECRET", SECRET)
    monkeypatch.setenv("ALLOT_JWT_ALGORITHMS", "none")
    with pytest.raises(InvalidInput, match="ALLOT_JWT_ALGORITHMS"):
        read_settings()


def test_roles_of_a_token_count_only_where_their_claim_is_named(settings, tenant):
    """Catches roles that are read from any token: those that an issuer gives for other programs would be ours."""
    token = signed(claims(tenant, scope="network:read role:admin", roles=["planner", "pope"]))
    plain = BearerTokens(settings, SystemClock()).identify(token)
    named = BearerTokens(settings.model_copy(update={"jwt_roles_claim": "roles"}), SystemClock()).identify(token)
    assert plain is not None
    assert named is not None
    assert plain.mask == bit("network:read")
    assert named.mask == mask(["role:planner"])
    wrong = signed(claims(tenant, roles={"admin": True}))
    assert BearerTokens(settings.model_copy(update={"jwt_roles_claim": "roles"}), SystemClock()).identify(wrong) is None
