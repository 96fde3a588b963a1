"""Secrets and signatures of webhooks, as Standard Webhooks has them.

A secret is made anew from one key, the webhook's id and the number of its secret whenever it is needed, so none is kept
anywhere, and an answer that showed one can be given again. Not here: where that key comes from.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from standardwebhooks import Webhook as Signer


def secret_of(key: bytes, tenant: str, webhook_id: str, generation: int) -> str:
    """Return a secret, `whsec_` and 32 bytes in base64."""
    made = hmac.new(key, f"{tenant}\0{webhook_id}\0{generation}".encode(), sha256).digest()
    return f"whsec_{b64encode(made).decode()}"


def headers(secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a request, with a signature by each secret; `at` is when it is sent, in UTC."""
    text = body.decode()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(event_id, at, text) for secret in secrets),
    }
