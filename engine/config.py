"""Settings by environment (`ALLOT_…`); the one place that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import Fault, InvalidInput

TENANT = r"^[a-z0-9][a-z0-9-]{0,31}$"
"""What the name of a tenant looks like."""


class Settings(BaseSettings):
    """What an installation may choose; every field is documented in docs/reference/configuration.md."""

    model_config = SettingsConfigDict(env_prefix="ALLOT_", frozen=True)

    redis_url: str | None = Field(
        default=None, description="A Redis ≥ 7.2 or Valkey ≥ 8 to use instead of the embedded server."
    )
    data_dir: Path = Field(default=Path(".allot"), description="Where the embedded server keeps its data.")
    tenant: str = Field(default="main", pattern=TENANT, description="The key space to work in.")
    durability: Literal["memory", "standard", "replicated"] = Field(
        default="standard", description="What an acknowledgement means: see docs/reference/durability.md."
    )
    partitions: int = Field(
        default=1, ge=1, le=64, description="Into how many partitions stock is divided: docs/reference/partitions.md."
    )
    bid_price_minutes: int = Field(
        default=15, ge=1, le=10_080, description="How old bid prices may be before they are made anew."
    )
    auth: Literal["off", "keys"] | None = Field(
        default=None, description="`off` lets everybody in, on loopback only; None: `off` there, `keys` elsewhere."
    )
    jwt_issuer: str | None = Field(default=None, description="Whose JSON Web Tokens are taken: their `iss`.")
    jwt_audience: str | None = Field(default=None, description="For whom they have to be: their `aud`.")
    jwt_keys_file: Path | None = Field(default=None, description="Their public keys: a JWK set, or a key in PEM form.")
    jwt_secret: SecretStr | None = Field(
        default=None, min_length=32, description="Instead of a file, the secret that they are signed with (HS256)."
    )
    jwt_algorithms: str = Field(
        default="RS256,PS256,ES256,EdDSA",
        pattern=r"^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA)(?:,(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA))*$",
        description="By which algorithms of public keys they may be signed.",
    )
    jwt_tenant_claim: str = Field(default="tenant", min_length=1, description="The claim that names their tenant.")
    jwt_roles_claim: str | None = Field(
        default=None, min_length=1, description="The claim that names their roles; None: tokens have none."
    )
    jwt_leeway_seconds: int = Field(default=30, ge=0, le=300, description="How far the issuer's clock may be off.")
    most_tenants: int = Field(default=32, ge=1, le=1000, description="How many tenants one process serves at most.")
    workers: int = Field(
        default=1, ge=1, le=64, description="Threads of a routing run whose batch does not go to Ray workers."
    )
    ray_address: str | None = Field(
        default=None,
        pattern=r"^(auto|[^:/]+:[0-9]{1,5})$",
        description="host:port of a Ray cluster that this machine is part of, or `auto`.",
    )
    ray_workers: int = Field(default=2, ge=1, le=256, description="Ray workers for the routing runs of this process.")
    ray_from_orders: int | None = Field(
        default=None, ge=0, description="Batches of so many orders or more go to Ray workers; None: see the reference."
    )
    explanation_days: int = Field(
        default=7, ge=0, le=365, description="How long routed orders can be explained; 0: nothing is kept for it."
    )
    run_lease_seconds: float = Field(
        default=15,
        ge=1,
        le=3600,
        description="After so long without a sign of life a routing run is taken up elsewhere.",
    )
    route_every_seconds: int | None = Field(
        default=None, ge=1, le=86_400, description="Routes all open orders every so often; None: on demand only."
    )
    route_policy: str | None = Field(default=None, max_length=128, description="The policy of these routing runs.")
    most_rejections: int = Field(
        default=3, ge=0, description="After how many refusals by nodes an order is left for people; 0: never."
    )
    archive_after_days: int | None = Field(
        default=None, ge=1, le=36_500, description="When orders that are over move to the archive; None: never."
    )
    archive_dir: Path | None = Field(default=None, description="Where the archive is; None: `archive` in the data_dir.")
    card_provider: Literal["sandbox", "stripe"] = Field(
        default="sandbox", description="Who is asked for money on cards: docs/reference/payments.md."
    )
    stripe_key: SecretStr | None = Field(
        default=None, description="The secret key of a Stripe account; needs allot[stripe]."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None, description="The signing secret of Stripe's webhooks to this server: whsec_…"
    )
    stripe_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+$",
        description="Where Stripe is, if not at its own address.",
    )
    carrier_provider: Literal["sandbox", "easypost"] = Field(
        default="sandbox", description="Who sells labels: docs/reference/fulfillment.md."
    )
    easypost_key: SecretStr | None = Field(
        default=None, description="The key of an EasyPost account; needs allot[easypost]."
    )
    easypost_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s/]+$", description="Where EasyPost is, if not at its own address."
    )
    release_after_minutes: int | None = Field(
        default=None,
        ge=0,
        le=43_200,
        description="Releases orders to their nodes so long after a run has decided; None: on request.",
    )
    webhooks_secret: SecretStr | None = Field(
        default=None, min_length=32, description="What the secrets of webhooks are made of; None: a key in the store."
    )
    smtp_url: SecretStr | None = Field(
        default=None, description="The server that notices go through: smtp://host:25, or smtps://user:password@host."
    )
    mail_from: str | None = Field(
        default=None, max_length=320, description="By whom they are: Example Shop <orders@shop.example.com>."
    )
    public_url: str | None = Field(
        default=None, max_length=1000, description="Where customers reach this server: https://track.example.com."
    )
    notices_url: str | None = Field(
        default=None, max_length=2000, description="A service that notices are posted to, such as for text messages."
    )
    notices_secret: SecretStr | None = Field(
        default=None, min_length=24, description="What they are signed with, as Standard Webhooks has it: whsec_…"
    )
    customers_secret: SecretStr | None = Field(
        default=None, min_length=32, description="What the keys of customers are wrapped under; None: kept as they are."
    )
    webhooks_allow_private: bool = Field(
        default=False, description="Sends webhooks to private addresses and without TLS; for development only."
    )
    requests_per_second: int = Field(
        default=1000, ge=0, le=1_000_000, description="How many requests one API key may send; 0: any number."
    )
    most_open_holds: int | None = Field(
        default=None, ge=1, description="How many reservations one API key may hold at once; None: any number."
    )
    request_timeout_seconds: float = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="After so long a request is answered by 503; documents: six times.",
    )
    most_in_flight: int = Field(
        default=2000,
        ge=1,
        le=1_000_000,
        description="How many requests one process serves at once at most.",
    )
    most_promises_at_once: int = Field(
        default=32, ge=1, le=10_000, description="How many promises are made at once; others wait, 2 seconds at most."
    )
    drain_seconds: float = Field(
        default=1.0, ge=0, le=300, description="How long a server that is told to stop still lets new requests in."
    )
    simulations_at_once: int = Field(
        default=1, ge=1, le=64, description="How many simulations of the API one machine works on at once."
    )
    simulations_per_key: int = Field(
        default=4, ge=1, le=1000, description="How many simulations one API key may have under way or waiting."
    )
    simulation_orders: int = Field(
        default=1_000_000,
        ge=1,
        description="Orders of one simulation at most: of its days, times replications, times policies.",
    )
    simulation_seconds: float = Field(
        default=3600.0, ge=1, le=604_800, description="How long one simulation may take, from its start on."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="What is written to the log, and everything above it."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="How; `auto` is text on a terminal, and JSON elsewhere."
    )
    access_log: float = Field(
        default=0.0, ge=0, le=1, description="The share of requests that are logged; 0: none. Failures all, if not 0."
    )
    traces: Literal["off", "otlp"] = Field(
        default="off", description="`otlp` sends OpenTelemetry spans of requests and store calls; needs allot[otel]."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationTerms:
    """Where simulations of the API are kept, and what they may cost."""

    folder: Path
    """Of one tenant."""
    at_once: int
    per_key: int
    most_orders: int
    most_seconds: float


def simulation_terms(settings: Settings) -> SimulationTerms:
    """Return the terms of the tenant of the settings."""
    return SimulationTerms(
        folder=settings.data_dir / "simulations" / settings.tenant,
        at_once=settings.simulations_at_once,
        per_key=settings.simulations_per_key,
        most_orders=settings.simulation_orders,
        most_seconds=settings.simulation_seconds,
    )


def read_settings(data_dir: Path | None = None) -> Settings:
    """Return the settings of the environment, with `data_dir` before its own; InvalidInput names each bad variable."""
    try:
        return Settings() if data_dir is None else Settings(data_dir=data_dir)
    except ValidationError as error:
        raise InvalidInput(
            [
                Fault(
                    path=f"ALLOT_{'_'.join(map(str, fault['loc'])).upper()}",
                    message=f"{_shown(fault['loc'], fault['input'])}: {fault['msg']}",
                )
                for fault in error.errors(include_url=False)
            ]
        ) from None


def _shown(names: Sequence[str | int], value: object) -> str:
    """Return a value that is wrong as it was given, unless it is a secret."""
    return "what it holds" if str(names[0]).endswith(("_secret", "smtp_url")) else repr(value)
