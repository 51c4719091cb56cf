"""Where one request ends and the next begins: nothing that is hidden in a request is ever carried out as another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.http.oci_client import digest
from tests.http.servers import Server, in_processes
from tests.http.wire import exchange, wire

HOST = b"Host: test\r\n"
GET = b"GET /v2/ HTTP/1.1\r\n" + HOST
OPEN = b"POST /v2/framing/blobs/uploads/ HTTP/1.1\r\n" + HOST
CHUNKED = OPEN + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
HIDDEN = b"POST /v2/hidden/blobs/uploads/?digest=%s HTTP/1.1\r\n" % digest(b"").encode() + HOST + b"\r\n"
"""A request that leaves a mark: the repository `hidden`."""


@pytest.fixture(scope="module")
def process() -> Iterator[Server]:
    """A server in a process of its own."""
    with (
        TemporaryDirectory(prefix="artifactstore-framing-") as folder,
        in_processes(Path(folder, "data"), unsafe_no_sync="true") as running,
    ):
        yield running


def statuses(server: Server, data: bytes) -> list[int]:
    """The statuses of what is answered, after which everybody else is answered too."""
    found = [reply.status for reply in exchange(server.port, data)]
    assert httpx.get(f"{server.url}/v2/").status_code == 200
    return found


def is_marked(server: Server, name: str = "hidden") -> bool:
    """Whether the hidden request was carried out, or its like for another repository."""
    return httpx.get(f"{server.url}/v2/{name}/tags/list").status_code != 404


def test_a_hidden_request_would_be_seen(process: Server) -> None:
    """Sent as a request of its own, it is carried out and leaves its mark."""
    assert statuses(process, HIDDEN.replace(b"/hidden/", b"/shown/")) == [201]
    assert is_marked(process, "shown")


def test_a_body_may_be_announced_that_nobody_could_send(process: Server) -> None:
    """An upload is opened before its request's body has come, and whatever comes belongs to that body."""
    with wire(process.port) as line:
        line.send(OPEN + b"Content-Length: 18446744073709551615\r\n\r\n" + HIDDEN)
        assert line.reply().status == 202
        line.send(HIDDEN)
        line.timeout(0.3)
        assert not line.is_closed()
    assert not is_marked(process)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Content-Length: 0\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5, 5",
        b"Content-Length: +5",
        b"Content-Length: -5",
        b"Content-Length: 0x5",
        b"Content-Length: 5 5",
        b"Content-Length:",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length : 5",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunkedx",
        b'Transfer-Encoding: "chunked"',
        b"Transfer-Encoding: chunked;q=1",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: ,chunked",
        b"Transfer-Encoding: chunked,",
        b"Transfer-Encoding:",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding: chunked\r\n , identity",
        b"X: y\r\n Content-Length: 5",
        b"X: y\nContent-Length: 5",
        b"X: y\rContent-Length: 5",
        b"X: y\x00z",
        b"X\x00: y",
        b"X: \x01",
        b"\xff: y",
        b": y",
        b"X",
        b"Host: another",
    ],
)
def test_a_head_with_two_meanings_has_none(process: Server, head: bytes) -> None:
    """One 400 and the end of the connection; neither the request nor what is hidden behind it is carried out."""
    data = HIDDEN.replace(b"/hidden/", b"/either/").replace(HOST, HOST + head + b"\r\n") + END + HIDDEN
    assert statuses(process, data) == [400]
    assert not is_marked(process)
    assert not is_marked(process, "either")


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v2/ HTTP/1.1\r\n\r\n",
        b"GET /v2/\r\n\r\n",
        b"GET /v2/ HTTP/0.9\r\n" + HOST + b"\r\n",
        b"GET /v2/ HTTP/1.2\r\n" + HOST + b"\r\n",
        b"GET /v2/ HTTP/2.0\r\n" + HOST + b"\r\n",
        b"GET /v2/ HTTP/1.1\n" + HOST + b"\r\n",
        b"GET /v2/ HTTP/1.1\r\n Host: test\r\n\r\n",
        b"GET\t/v2/\tHTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /v2/ /v2/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /v2/\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://test HTTP/1.1\r\n" + HOST + b"\r\n",
        b"BREW /v2/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"get /v2/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"CONNECT test:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST /v2/hidden/blobs/uploads/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
        GET + b"\n",
        GET + b"\rX",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        bytes.fromhex("16030100c6010000c20303") + bytes(190),
        bytes(1000),
    ],
    ids=lambda data: ascii(data[:40]),
)
def test_what_is_no_http_1_is_told_so(process: Server, data: bytes) -> None:
    """Other versions, other protocols and broken lines get one 400, and what follows is not looked at."""
    assert statuses(process, data + HIDDEN) == [400]
    assert not is_marked(process)


@pytest.mark.parametrize(
    "body",
    [
        b"-1\r\n",
        b"+1\r\na\r\n",
        b"0x1\r\na\r\n",
        b"1 \r\na\r\n",
        b"fffffffffffffffff\r\n",
        b"g\r\n",
        b"\r\n",
        b"1\r\nabc\r\n",
        b"1\r\na\n",
        b"0\n\n",
        b"0;a\n\r\n",
        b'0;a="b\r\n\r\n"\r\n',
        b"0\r\nContent-Length: 50\r\n\r\n",
        b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_broken_chunk_ends_the_connection(process: Server, body: bytes) -> None:
    """400, and the request is not carried out: no part of a body is taken for a request."""
    data = HIDDEN.replace(b"/hidden/", b"/broken/").replace(HOST, HOST + b"Transfer-Encoding: chunked\r\n")
    assert statuses(process, data + body + HIDDEN) == [400]
    assert not is_marked(process)
    assert not is_marked(process, "broken")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (GET + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 200),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + END, 200),
        (b"DELETE /v2/a/manifests/b HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 404),
        (b"POST /health HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 405),
        (CHUNKED + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + END, 202),
        (b"GET /v2/ HTTP/1.0\r\n\r\n" + HIDDEN, 200),
        (b"GET /v2/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + HIDDEN, 200),
        (GET + b"Connection: close\r\n\r\n" + HIDDEN, 200),
        (b"CONNECT /v2/ HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 405),
        (GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 200),
    ],
    ids=range(10),
)
def test_a_body_is_never_a_request(process: Server, data: bytes, status: int) -> None:
    """Wanted or not, chunked or not, or behind the last request of a connection: it is passed over."""
    assert statuses(process, data) == [status]
    assert not is_marked(process)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (CHUNKED + END, 202),
        (CHUNKED + b"0;ext=x\r\n\r\n", 202),
        (CHUNKED + b"0\r\nTrailer: x\r\n\r\n", 202),
        (CHUNKED.replace(b"chunked", b"\tChunKed") + b"3;a=b;c\r\nabc\r\n" + END, 202),
        (b"\r\n\r\n" + GET + b"\r\n", 200),
        (GET.replace(b"/v2/", b"http://elsewhere/v2/") + b"\r\n", 200),
        (GET.replace(b"/v2/", b"/v2/#part") + b"\r\n", 200),
        (GET.replace(b"/v2/", b"//v2/") + b"\r\n", 404),
        (GET.replace(b"/v2/", b"/v2/../v2/") + b"\r\n", 404),
        (GET + b"X: \xff\xfe\r\n\r\n", 200),
        (GET + b"X:" + b" \t" * 5000 + b"\r\n\r\n", 200),
        (GET + b"Transfer_Encoding: chunked\r\n\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"OPTIONS /v2/ HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"TRACE /v2/ HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    ],
)
def test_what_is_unusual_but_sound_is_answered(process: Server, data: bytes, status: int) -> None:
    """It has one meaning, so it is answered, and so is the request behind it."""
    assert statuses(process, data + GET + b"\r\n") == [status, 200]
