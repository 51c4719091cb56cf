"""Answers come in the order of the requests, each whole, whatever follows; and nobody can take up the server alone."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from artifactstore.api.http import protocol, worker
from tests.http.oci_client import MANIFEST, Repository, digest, image
from tests.http.servers import Server, in_processes, in_thread, wait_for
from tests.http.wire import exchange, wire
from tests.stores import fresh_config

HOST = b"Host: test\r\n"
GET = b"GET /v2/ HTTP/1.1\r\n" + HOST + b"\r\n"
DATA = os.urandom(1 << 20)


@pytest.fixture(scope="module")
def process() -> Iterator[Server]:
    """A server in a process of its own."""
    with (
        TemporaryDirectory(prefix="artifactstore-turns-") as folder,
        in_processes(Path(folder, "data"), unsafe_no_sync="true") as running,
    ):
        yield running


@pytest.fixture
def repository(process: Server, request: pytest.FixtureRequest) -> Iterator[Repository]:
    """A repository with `DATA` in it, that no other test uses."""
    with httpx.Client(base_url=process.url) as client:
        found = Repository(client, f"turns/t{abs(hash(request.node.name))}")
        found.push_blob(DATA)
        yield found


def upload(repository: Repository, data: bytes) -> bytes:
    """The request that pushes a blob at once."""
    path = f"{repository.at}/blobs/uploads/?digest={digest(data)}"
    return f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def get(path: str, method: str = "GET") -> bytes:
    """A request without a body."""
    return f"{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


def resident(pid: int) -> int:
    """The memory of a process, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def test_a_thousand_requests_in_one_piece(process: Server, repository: Repository) -> None:
    """Pipelined in one segment, with bodies and refusals among them, each gets its own answer, in order."""
    bodies = [bytes([number]) * number for number in range(200)]
    data = b"".join(
        upload(repository, body)
        + get(f"{repository.at}/blobs/{digest(body)}")
        + get(f"{repository.at}/manifests/..", "DELETE")
        + get("/v2/", "PUT")
        + GET
        for body in bodies
    )
    replies = exchange(process.port, data)
    assert [reply.status for reply in replies] == [201, 200, 404, 405, 200] * len(bodies)
    assert [reply.body for reply in replies[1::5]] == bodies


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\n\r\n", 400),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n", 414),
    ],
    ids=["garbage", "version", "target"],
)
def test_a_refusal_waits_for_its_turn(process: Server, repository: Repository, broken: bytes, status: int) -> None:
    """What is no request is answered after those before it, each whole, and nothing after it is carried out."""
    blob = f"{repository.at}/blobs/{digest(DATA)}"
    data = get(blob) + upload(repository, b"new") + broken + get(blob, "DELETE")
    replies = exchange(process.port, data)
    assert [reply.status for reply in replies] == [200, 201, status]
    assert replies[0].body == DATA
    assert repository.get(f"blobs/{digest(DATA)}").status_code == 200


def test_a_broken_body_waits_for_its_turn(process: Server, repository: Repository) -> None:
    """A chunk that is none, behind a request under way: that one is answered whole, then 400, and nothing is kept."""
    path = f"{repository.at}/manifests/v1"
    repository.push_blob(b"{}")
    broken = f"PUT {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\nx\r\n".encode()
    replies = exchange(process.port, get(f"{repository.at}/blobs/{digest(DATA)}") + broken)
    assert [reply.status for reply in replies] == [200, 400]
    assert replies[0].body == DATA
    assert repository.get("manifests/v1").status_code == 404


def test_a_body_that_breaks_later_is_refused_too(process: Server, repository: Repository) -> None:
    """A PATCH whose second chunk is none is answered 400; the upload stands at what came before."""
    at = repository.open_upload()
    with wire(process.port) as line:
        line.request("PATCH", at, b"5\r\nfirst\r\n", transfer_encoding="chunked")
        time.sleep(0.3)  # no answer tells when a part of a body was read
        line.send(b"nonsense\r\n")
        assert line.reply().status == 400
        assert line.is_closed()
    wait_for(lambda: repository.http.get(at).headers["range"] == "0-4")
    assert repository.patch(at, b"second", 5).status_code == 202
    assert repository.close(at, digest(b"firstsecond")).status_code == 201


def test_a_body_that_breaks_behind_its_answer_just_ends(process: Server) -> None:
    """A body that was refused already cannot be refused twice: the connection closes without another word."""
    with wire(process.port) as line:
        line.request("PUT", "/v2/", b"1\r\na\r\n", transfer_encoding="chunked")
        assert line.reply().status == 405
        line.send(b"nonsense\r\n")
        assert line.is_closed()


@pytest.mark.parametrize("together", [True, False], ids=["in one segment", "apart"])
def test_a_late_head_does_not_cut_an_answer(server: Server, together: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a request behind a download is 408 only after all of that download."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    data = os.urandom(32 << 20)
    with httpx.Client(base_url=server.url) as client:
        other = Repository(client, "turns/late")
        other.push_blob(data)
    with wire(server.port) as line:
        line.request("GET", f"{other.at}/blobs/{digest(data)}")
        line.send(b"GET /v2/ HT")
        line.timeout(30.0)
        first = line.reply()
        assert (first.status, first.body == data) == (200, True)
        assert line.reply().status == 408
        assert line.is_closed()


def test_who_sends_no_more_is_still_answered(process: Server, repository: Repository) -> None:
    """A half-closed connection gets every answer that it waits for, then the end; half a request gets nothing."""
    body = image()
    repository.push_blob(b"{}")
    path = f"{repository.at}/manifests/v1"
    head = f"PUT {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {MANIFEST}\r\nContent-Length: {len(body)}\r\n\r\n"
    replies = exchange(process.port, head.encode() + body + get(path) + get(f"{repository.at}/blobs/{digest(DATA)}"))
    assert [reply.status for reply in replies] == [201, 200, 200]
    assert (replies[1].body, replies[2].body) == (body, DATA)
    assert exchange(process.port, b"") == []
    assert exchange(process.port, b"GET /v2/ HTTP/1.1\r\nHo") == []
    assert exchange(process.port, head.replace("v1", "v2").encode() + body[:-1]) == []
    assert repository.tags() == ["v1"]


@pytest.mark.parametrize(
    ("line", "status"),
    [("POST /health", 405), ("POST /nowhere", 404), ("PATCH /v2/a/blobs/uploads/none", 404), ("PUT /v2/", 405)],
)
def test_a_refused_body_is_not_asked_for(process: Server, line: str, status: int) -> None:
    """Expect: 100-continue is answered with the refusal alone, and the connection ends: the body may come or not."""
    data = f"{line} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(GET)}\r\nExpect: 100-continue\r\n\r\n".encode()
    with wire(process.port) as connection:
        connection.send(data + GET)
        reply = connection.reply()
        assert (reply.status, reply.headers["connection"]) == (status, "close")
        assert connection.is_closed()


def test_http_1_0_knows_no_interim_answer(process: Server, repository: Repository) -> None:
    """Expect in a request of HTTP/1.0 is ignored (RFC 9110, 10.1.1)."""
    data = upload(repository, b"old").replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nExpect: 100-continue\r\n")
    assert [reply.status for reply in exchange(process.port, data)] == [201]


def test_a_flood_of_requests_is_held_back(process: Server) -> None:
    """Who asks without reading answers, or faster than they come, is not read further: memory stays as it is."""
    assert process.process is not None
    exchange(process.port, GET * 1000)
    before = resident(process.process.pid)
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", process.port), 0.2)) for _ in range(8)]
        sent = 0
        for line in lines:
            with suppress(TimeoutError):
                while sent < 64 << 20:
                    sent += line.send(GET * 5000)
        assert sent < 64 << 20
        assert resident(process.process.pid) - before < 64
        assert httpx.get(f"{process.url}/v2/").status_code == 200


def test_idle_connections_keep_nobody_out(process: Server) -> None:
    """Hundreds of connections that say nothing, or stop within a head, leave the server to the others."""
    with ExitStack() as stack:
        for number in range(300):
            line = stack.enter_context(wire(process.port))
            line.send(GET[: number % len(GET)])
        assert exchange(process.port, GET)[0].status == 200


def test_a_reader_who_never_reads_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is left unread for too long ends the connection, which holds memory and a file."""
    monkeypatch.setattr(protocol, "READ_SECONDS", 0.2)
    with httpx.Client(base_url=server.url) as client:
        other = Repository(client, "turns/unread")
        named = other.push_blob(os.urandom(32 << 20))
    with wire(server.port) as line:
        line.request("GET", f"{other.at}/blobs/{named}")
        time.sleep(1)
        with pytest.raises((ConnectionResetError, AssertionError)):
            line.reply()


def test_what_is_left_of_a_refused_body_has_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that trickles on after its refusal is closed when an idle one would be."""
    monkeypatch.setattr(worker, "KEEP_ALIVE_SECONDS", 1)
    with in_thread(fresh_config(tmp_path, port=0)) as running, wire(running.port) as line:
        line.request("PUT", "/v2/", content_length="1000")
        assert line.reply().status == 405
        line.timeout(0.2)
        with suppress(ConnectionError):
            for _ in range(50):
                line.send(b"x")
                if line.is_closed():
                    return
        raise AssertionError("the connection is still open")
