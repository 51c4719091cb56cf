"""The proxy carries what it is given, tells what was asked, and cuts once."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conformance.clients.proxy import Cut, Proxy, proxied

BODY = bytes(range(256)) * 4096


class Echo(BaseHTTPRequestHandler):
    """Answers a PUT with its body, if it comes whole."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Read the body and send it back."""
        size = int(self.headers["content-length"])
        body = self.rfile.read(size)
        if len(body) == size:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def target() -> Iterator[str]:
    """A server that echoes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def put(proxy: Proxy, path: str) -> bytes:
    """Send the body through the proxy; what comes back."""
    connection = http.client.HTTPConnection(proxy.host, timeout=10)
    try:
        connection.request("PUT", path, BODY, {"X-Word": "kept"})
        return connection.getresponse().read()
    finally:
        connection.close()


def test_bytes_pass_and_heads_are_told(target: str) -> None:
    """Both directions carry every byte, and each request's method, target and headers are known afterwards."""
    with proxied(target) as proxy:
        assert [put(proxy, path) for path in ("/a", "/b?x=1")] == [BODY, BODY]
        (found,) = proxy.asked("PUT", "/b")
        assert (found.target, found.headers["x-word"]) == ("/b?x=1", "kept")
        assert found.headers["content-length"] == str(len(BODY))
        assert proxy.asked("GET") == []
        assert not proxy.cut_made


@pytest.mark.parametrize("direction", ["up", "down"])
def test_cut_is_made_once(target: str, direction: str) -> None:
    """The first connection that carried so many bytes in that direction is ended; the next one is not."""
    with proxied(target, Cut("up" if direction == "up" else "down", 500_000)) as proxy:
        with pytest.raises((OSError, http.client.HTTPException)):
            put(proxy, "/a")
        assert proxy.cut_made
        assert put(proxy, "/a") == BODY


def test_bytes_up_to_the_cut_pass() -> None:
    """A cut leaves exactly the bytes before it, and after that everything."""
    cut = Cut("up", 10)
    assert [cut.room("up", 0, 8), cut.room("down", 9, 9), cut.room("up", 8, 8), cut.room("up", 20, 8)] == [8, 9, 2, 8]
