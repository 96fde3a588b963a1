"""A connection goes to the checked address, and its certificate must be that of the name."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from engine.webhooks.sending import Sender
from engine.webhooks.targets import Targets

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of hook.test that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hook.test"),
        *("-addext", "subjectAltName=DNS:hook.test", "-out", str(files[0]), "-keyout", str(files[1])),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return files


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await writer.drain()
    writer.close()


async def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    certificate: tuple[Path, Path],
) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(*certificate)
    asked: list[str | None] = []
    served.sni_callback = lambda _, name, __: asked.append(name)
    server = await asyncio.start_server(_answer, "127.0.0.2", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.2"]

    targets = Targets(resolve=resolve, is_allowed=lambda address: str(address) == "127.0.0.2")
    async with server:
        async with Sender(targets, ssl.create_default_context(cafile=str(certificate[0]))) as sender:
            good = await sender.send(f"https://hook.test:{port}/", {}, b"{}")
            other = await sender.send(f"https://other.test:{port}/", {}, b"{}")
        async with Sender(targets, ssl.create_default_context()) as sender:
            unknown = await sender.send(f"https://hook.test:{port}/", {}, b"{}")
    assert good.status == 204, good.error
    assert asked[:1] == ["hook.test"]
    assert unknown.status is None
    assert "certificate" in (unknown.error or "")
    assert other.status is None
