"""What the server does with requests that break off, stall, crowd or lie, as bytes on a socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from artifactstore.api.http import calls, protocol
from tests.http.oci_client import MANIFEST, Repository, digest, image
from tests.http.servers import Server, wait_for
from tests.http.wire import Wire, wire

DATA = bytes(range(256)) * 1024
HALF = len(DATA) // 2


@pytest.fixture
def line(server: Server) -> Iterator[Wire]:
    """A connection to the shared server."""
    with wire(server.port) as connection:
        yield connection


def arrive() -> None:
    """Give what was sent the time to be read: no answer tells when a part of a body was."""
    time.sleep(0.3)


def stands_at(repository: Repository, upload: str, size: int) -> bool:
    """Whether an upload has `size` bytes."""
    return repository.http.get(upload).headers["range"] == f"0-{size - 1}"


@pytest.mark.parametrize("place", [{}, {"content_range": f"0-{len(DATA) - 1}"}])
def test_a_patch_that_breaks_off_keeps_what_came(server: Server, repository: Repository, place: dict[str, str]) -> None:
    """After a dropped connection the client asks where the upload stands, goes on from there, and the blob is whole."""
    upload = repository.open_upload()
    with wire(server.port) as line:
        line.request("PATCH", upload, DATA[:HALF], content_length=str(len(DATA)), **place)
        arrive()
    wait_for(lambda: stands_at(repository, upload, HALF))
    assert repository.patch(upload, DATA[HALF:], HALF).status_code == 202
    assert repository.close(upload, digest(DATA, "sha512")).status_code == 201
    assert repository.get(f"blobs/{digest(DATA)}").content == DATA


def test_a_close_that_breaks_off_can_be_repeated(server: Server, repository: Repository) -> None:
    """A PUT that did not come in full leaves the upload as it was: containerd sends the same PUT again, all of it."""
    data = DATA * 16
    upload = repository.open_upload()
    repository.patch(upload, data[:100], 0)
    with wire(server.port) as line:
        line.request("PUT", f"{upload}?digest={digest(data)}", data[100:-1], content_length=str(len(data) - 100))
        arrive()
    wait_for(lambda: stands_at(repository, upload, 100))
    assert repository.close(upload, digest(data), data[100:]).status_code == 201


def test_a_placed_close_that_breaks_off_keeps_what_came(server: Server, repository: Repository) -> None:
    """A PUT that says where its bytes belong, and did not come in full, leaves the upload open, with what came."""
    upload = repository.open_upload()
    with wire(server.port) as line:
        place = {"content_length": str(len(DATA)), "content_range": f"0-{len(DATA) - 1}"}
        line.request("PUT", f"{upload}?digest={digest(DATA * 2)}", DATA[:HALF], **place)
        arrive()
    wait_for(lambda: stands_at(repository, upload, HALF))
    assert repository.close(upload, digest(DATA), DATA[HALF:]).status_code == 201


@pytest.mark.parametrize("size", [1000, HALF])
def test_a_push_that_breaks_off_keeps_nothing(server: Server, repository: Repository, size: int) -> None:
    """A blob in one POST, or a manifest, is there in full or not at all."""
    body = image(annotations={"never": "complete"})
    with wire(server.port) as line:
        path = f"{repository.at}/blobs/uploads/?digest={digest(DATA)}"
        line.request("POST", path, DATA[:size], content_length=str(len(DATA)))
    with wire(server.port) as line:
        line.request("PUT", f"{repository.at}/manifests/v1", body, content_length=str(len(body) + 1))
    repository.push_blob(b"x")
    assert repository.get(f"blobs/{digest(DATA)}").status_code == 404
    assert repository.tags() == []


def test_an_upload_has_one_writer_at_a_time(line: Wire, repository: Repository) -> None:
    """While a PATCH comes, another is 416 with Location and Range, a status is answered, and the first one wins."""
    upload = repository.open_upload()
    line.request("PATCH", upload, DATA[:HALF], content_length=str(len(DATA)))
    arrive()
    refusal = repository.patch(upload, b"crossing")
    assert (refusal.status_code, refusal.headers["location"]) == (416, upload)
    assert refusal.headers["range"] == repository.http.get(upload).headers["range"]
    line.send(DATA[HALF:])
    assert line.reply().status == 202
    assert repository.close(upload, digest(DATA)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/manifests/v1", 413),
        ("PUT", "/manifests/.bad", 400),
        ("PATCH", "/blobs/uploads/unknown", 404),
        ("POST", "/blobs/uploads/?digest=sha256:short", 400),
        ("POST", "/manifests/v1", 405),
        ("GET", "/tags/list", 404),
        ("DELETE", "/manifests/v1", 404),
    ],
)
def test_a_connection_outlives_a_refused_body(
    line: Wire, repository: Repository, method: str, path: str, status: int
) -> None:
    """A body that nobody wanted is let pass, and the next request on the connection is answered."""
    body = b"x" * (5 << 20)
    line.request(method, repository.at + path, body, content_length=str(len(body)))
    assert line.reply().status == status
    line.request("GET", "/v2/")
    assert line.reply().status == 200


def test_requests_may_come_in_a_row(line: Wire, repository: Repository) -> None:
    """Pipelined requests, bodies among them, are answered in order."""
    named = digest(DATA)
    line.request("POST", f"{repository.at}/blobs/uploads/?digest={named}", DATA, content_length=str(len(DATA)))
    line.request("HEAD", f"{repository.at}/blobs/{named}")
    line.request("GET", f"{repository.at}/blobs/{named}", range="bytes=1-3")
    line.request("GET", f"{repository.at}/blobs/{named}")
    line.request("GET", "/v2/")
    assert line.reply().status == 201
    head = line.reply(head=True)
    assert (head.status, head.headers["content-length"]) == (200, str(len(DATA)))
    assert line.reply().body == DATA[1:4]
    assert line.reply().body == DATA
    assert line.reply().body == b"{}"


def test_a_body_is_asked_for_only_when_it_is_wanted(line: Wire, repository: Repository) -> None:
    """Expect: 100-continue is answered with 100, or at once with the refusal and the end of the connection."""
    path = f"{repository.at}/blobs/uploads/?digest={digest(DATA)}"
    line.request("POST", path, content_length=str(len(DATA)), expect="100-continue")
    assert line.interim() == 100
    line.send(DATA)
    assert line.reply().status == 201
    path = f"{repository.at}/blobs/uploads/unknown"
    line.request("PATCH", path, content_length=str(len(DATA)), expect="100-continue")
    refusal = line.reply()
    assert (refusal.status, refusal.headers["connection"]) == (404, "close")
    assert line.is_closed()


def test_an_upgrade_is_ignored(line: Wire, repository: Repository) -> None:
    """Java's client asks for h2c with its first request, body and all: it is answered in HTTP/1.1 as if it had not."""
    line.request(
        "POST",
        f"{repository.at}/blobs/uploads/?digest={digest(DATA)}",
        DATA,
        connection="Upgrade, HTTP2-Settings",
        upgrade="h2c",
        http2_settings="AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
        content_length=str(len(DATA)),
    )
    assert line.reply().status == 201
    line.request("GET", f"{repository.at}/blobs/{digest(DATA)}")
    assert line.reply().body == DATA


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("GET /v2/ HTTP/1.1\r\nx: " + "a" * 66_000, 431),
        ("GET /v2/ HTTP/1.1" + "\r\nname: value" * 5_050, 431),
        ("GET /v2/" + "a" * 40_000 + " HTTP/1.1", 414),
        ("PUT /v2/a/manifests/b HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2", 400),
        ("PUT /v2/a/manifests/b HTTP/1.1\r\ncontent-length: one", 400),
        ("PUT /v2/a/manifests/b HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked", 400),
        ("GET /v2/é HTTP/1.1", 400),
        ("GET  HTTP/1.1", 400),
        ("nonsense", 400),
    ],
)
def test_a_head_that_cannot_be_taken_ends_the_connection(line: Wire, lines: str, status: int) -> None:
    """Too large, contradictory or not HTTP: one answer, then the end; nothing after it is taken for a request."""
    line.send(f"{lines}\r\nhost: test\r\n\r\n".encode())
    reply = line.reply()
    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert line.is_closed()


def test_an_endless_header_is_not_collected(line: Wire) -> None:
    """A head that goes on beyond the limit is cut off before it is complete."""
    line.send(b"GET /v2/ HTTP/1.1\r\nx: ")
    sent = 0
    with suppress(ConnectionError):
        while sent < 100 << 20:
            line.send(b"a" * 60_000)
            sent += 60_000
    assert sent < 100 << 20


def test_a_large_body_is_no_large_head(line: Wire, repository: Repository) -> None:
    """The limit of the head does not touch a body that comes in the same packet."""
    line.request("POST", f"{repository.at}/blobs/uploads/?digest={digest(DATA)}", DATA, content_length=str(len(DATA)))
    assert line.reply().status == 201


@pytest.mark.parametrize(("sent", "status"), [(b"GET /v2/ HT", 408), (b"", None)])
def test_a_head_has_its_time(server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes, status: int | None) -> None:
    """A connection that begins a request and stops is answered 408; one that says nothing is closed."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    with wire(server.port) as line:
        line.send(sent)
        if status is not None:
            assert line.reply().status == status
        assert line.is_closed()


def test_a_body_that_stalls_is_given_up(line: Wire, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 and the end of the connection; what came is kept, and the upload is free for another request."""
    monkeypatch.setattr(calls, "BODY_IDLE_SECONDS", 0.5)
    upload = repository.open_upload()
    line.request("PATCH", upload, DATA[:HALF], content_length=str(len(DATA)))
    reply = line.reply()
    assert (reply.status, reply.headers["connection"]) == (408, "close")
    assert line.is_closed()
    assert stands_at(repository, upload, HALF)
    assert repository.close(upload, digest(DATA), DATA[HALF:]).status_code == 201


def test_a_reader_who_leaves_holds_nothing(server: Server, repository: Repository) -> None:
    """A download that is broken off gives its file back."""
    data = os.urandom(8 << 20)
    named = repository.push_blob(data)
    with wire(server.port) as line:
        line.request("GET", f"{repository.at}/blobs/{named}")
        line.send(b"")
        wait_for(lambda: open_objects() > 0)
    wait_for(lambda: open_objects() == 0)


def open_objects() -> int:
    """How many stored objects this process, in which the server runs, has open."""
    count = 0
    for handle in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a handle may be gone before it is looked at
        try:
            count += "/objects/" in os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115
        except OSError:
            continue
    return count


@pytest.mark.parametrize("path", ["/v2/%00/manifests/v1", "/v2/%ff/tags/list", "/v2/a%0a/tags/list", "/v2/a%2f/x"])
def test_strange_paths_are_refused_politely(line: Wire, path: str) -> None:
    """NUL, bytes that are no UTF-8 and line ends in a path are 400 or 404, never 500."""
    line.request("GET", path)
    assert line.reply().status in (400, 404)


def test_http_1_0_is_answered_and_closed(line: Wire) -> None:
    """An old client gets its answer and the end of the connection."""
    line.send(b"GET /v2/ HTTP/1.0\r\n\r\n")
    assert line.reply().body == b"{}"
    assert line.is_closed()


def test_a_manifest_may_come_in_odd_pieces(line: Wire, repository: Repository) -> None:
    """Chunked transfer coding with extensions, one byte at a time, in packets that cut through everything."""
    repository.push_blob(b"{}")
    body = image()
    line.request("PUT", f"{repository.at}/manifests/v1", transfer_encoding="chunked", content_type=MANIFEST)
    for byte in body:
        line.send(b"1;ext=x\r\n" + bytes([byte]))
        line.send(b"\r\n")
    line.send(b"0\r\n\r\n")
    assert line.reply().headers["docker-content-digest"] == digest(body)


def test_half_a_chunked_body_is_no_body(server: Server, repository: Repository) -> None:
    """A chunked manifest whose end never comes is not stored."""
    body = image()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT {repository.at}/manifests/v1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"%x\r\n" % len(body) + body + b"\r\n")
    repository.push_blob(b"x")
    assert repository.tags() == []
