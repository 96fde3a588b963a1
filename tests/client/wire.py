"""An unreliable wire: a proxy that loses answers, or answers 503, when it is told to."""

from __future__ import annotations

import re
import socket
import threading

from api.errors import Overloaded, problem_reply

END_OF_HEAD = b"\r\n\r\n"


class Wire:
    """Passes one request after another on, each on a connection of its own, and keeps what it has seen."""

    def __init__(self, server: str) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.answers_to_lose = 0
        self.requests_to_refuse = 0
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=10)
        self._listener.close()

    def keys(self) -> list[str]:
        """Return the idempotency key of each request, in the order in which they came."""
        found = [re.search(rb"\r\nidempotency-key: (\S+)", request, re.IGNORECASE) for request in self.requests]
        return [one[1].decode() if one else "" for one in found]

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        request = _message(client)
        if not request:
            return
        self.requests.append(request)
        if self.requests_to_refuse:
            self.requests_to_refuse -= 1
            refusal = problem_reply(Overloaded("Too much to do."), "req_wire", {"Retry-After": "0"})
            client.sendall(_last(b"HTTP/1.1 503 Service Unavailable", refusal.body))
            return
        with socket.create_connection(self._server) as upstream:
            upstream.sendall(request)
            answer = _message(upstream)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            return
        status = answer.partition(b"\r\n")[0]
        client.sendall(_last(status, answer.partition(END_OF_HEAD)[2]))


def _message(peer: socket.socket) -> bytes:
    """Read one message of HTTP: its head, and as much as that says there is."""
    data = b""
    while END_OF_HEAD not in data:
        more = peer.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(END_OF_HEAD)
    found = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    length = int(found[1]) if found else 0
    while len(body) < length:
        body += peer.recv(65536)
    return head + END_OF_HEAD + body


def _last(status: bytes, body: bytes) -> bytes:
    """Return an answer after which the connection ends."""
    return status + b"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
