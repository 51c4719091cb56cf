"""The access log of running servers: every request has its line, once, with the truth in it and no secret."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from artifactstore.api.http import protocol
from tests.http.servers import Server, in_processes, in_thread, wait_for
from tests.http.wire import Wire, wire
from tests.stores import fresh_config, sha256

LARGE = b"0123456789abcdef" * (4 << 20)
FIELDS = ["time", "id", "client", "method", "target", "status", "received", "sent", "microseconds", "agent"]


class Log:
    """The lines of a log file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self, count: int) -> list[dict[str, Any]]:
        """Every line, once there are so many; each is a JSON object of its own."""
        wait_for(lambda: self.path.exists() and self.path.read_bytes().count(b"\n") >= count)
        text = self.path.read_text("ascii")
        assert text.endswith("\n")
        found = [json.loads(line) for line in text.splitlines()]
        assert len(found) == count, found
        return found


@contextmanager
def logged(directory: Path, **settings: Any) -> Iterator[tuple[Server, Log]]:
    """A server with an access log in a file."""
    path = directory / "access.log"
    config = fresh_config(directory / "data", port=0, unsafe_no_sync=True, access_log=str(path), **settings)
    with in_thread(config) as server:
        yield server, Log(path)


def push(server: Server, data: bytes, **headers: str) -> httpx.Response:
    """Push a blob in one request."""
    url = f"{server.url}/v2/a/b/blobs/uploads/"
    return httpx.post(url, params={"digest": str(sha256(data))}, content=data, headers=headers)


def test_a_request_has_a_line(tmp_path: Path) -> None:
    """What was asked, by whom, what was answered and how many bytes went each way; the answer bears the line's id."""
    with logged(tmp_path) as (server, log):
        pushed = push(server, b"hello", **{"user-agent": "oras/1.2"})
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            client = "{}:{}".format(*connection.getsockname())
            asking = Wire(connection)
            asking.request("GET", f"/v2/a/b/blobs/{sha256(b'hello')}")
            got = asking.reply()
            asking.request("HEAD", f"/v2/a/b/blobs/{sha256(b'hello')}")
            asking.reply(head=True)
        post, get, head = log.lines(3)
    assert list(post) == FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", post["time"])
    assert (post["method"], post["status"], post["received"], post["sent"]) == ("POST", 201, 5, 0)
    assert (post["agent"], post["id"]) == ("oras/1.2", pushed.headers["x-request-id"])
    assert post["target"] == f"/v2/a/b/blobs/uploads/?digest=sha256%3A{sha256(b'hello').hex}"
    assert (get["client"], get["status"], get["received"], get["sent"]) == (client, 200, 0, 5)
    assert get["id"] == got.headers["x-request-id"]
    assert (head["method"], head["status"], head["sent"]) == ("HEAD", 200, 0)
    assert len({line["id"] for line in (post, get, head)}) == 3
    assert all(line["microseconds"] > 0 for line in (post, get, head))


@pytest.mark.parametrize(("sent", "kept"), [("trace-1/a", True), ("x" * 65, False), ('a"b', False), ("a b", False)])
def test_a_clients_request_id_is_kept_if_it_fits(tmp_path: Path, sent: str, kept: bool) -> None:
    """A short printable X-Request-Id goes back and into the log; any other is replaced."""
    with logged(tmp_path) as (server, log):
        answer = httpx.get(f"{server.url}/v2/", headers={"x-request-id": sent})
        (line,) = log.lines(1)
    assert (answer.headers["x-request-id"] == sent) is kept
    assert line["id"] == answer.headers["x-request-id"]


def test_pipelined_requests_have_a_line_each(tmp_path: Path) -> None:
    """Requests that come together are logged one by one, in their order, with the bytes of their own answers."""
    with logged(tmp_path) as (server, log), wire(server.port) as connection:
        connection.send(b"".join(b"GET /v2/%s HTTP/1.1\r\nhost: a\r\n\r\n" % path for path in (b"", b"x", b"_catalog")))
        replies = [connection.reply() for _ in range(3)]
        lines = log.lines(3)
    assert [line["target"] for line in lines] == ["/v2/", "/v2/x", "/v2/_catalog"]
    assert [line["status"] for line in lines] == [reply.status for reply in replies]
    assert [line["sent"] for line in lines] == [len(reply.body) for reply in replies]


@pytest.mark.parametrize(
    ("sent", "status", "target"),
    [
        (b"no http at all\r\n\r\n", 400, ""),
        (b"GET /v2/" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 414, "/v2/" + "a" * 2044 + "..."),
        (b"GET /v2/ HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 70_000 + b"\r\n\r\n", 431, "/v2/"),
        (b"GET /v2/ HTTP/1.1\r\nhost: a\r\n", 408, "/v2/"),
    ],
)
def test_a_request_that_is_none_has_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes, status: int, target: str
) -> None:
    """What the parser refuses, and a head that does not come to its end, are logged with what is known of them."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with logged(tmp_path) as (server, log), wire(server.port) as connection:
        connection.send(sent)
        assert connection.reply().status == status
        (line,) = log.lines(1)
    assert (line["status"], line["target"]) == (status, target)


def test_an_upload_that_broke_off_has_a_line(tmp_path: Path) -> None:
    """A client that goes away before it could be answered is 499, with the bytes that came."""
    with logged(tmp_path) as (server, log):
        with wire(server.port) as connection:
            connection.request("POST", f"/v2/a/b/blobs/uploads/?digest={sha256(b'x')}", b"12345", content_length="100")
            connection.timeout(0.2)
            assert not connection.is_closed()
        (line,) = log.lines(1)
    assert (line["status"], line["received"], line["sent"], line["aborted"]) == (499, 5, 0, True)


def test_a_download_that_was_cut_shows_what_was_handed_over(tmp_path: Path) -> None:
    """The line has the answer's status, says that it was aborted, and counts no byte that nobody took."""
    with logged(tmp_path) as (server, log):
        push(server, LARGE)
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            connection.sendall(b"GET /v2/a/b/blobs/%s HTTP/1.1\r\nhost: a\r\n\r\n" % str(sha256(LARGE)).encode())
            taken = 0
            while taken < 1 << 20:
                taken += len(connection.recv(1 << 16))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line = log.lines(2)[1]
    assert (line["status"], line.get("aborted")) == (200, True), line
    assert taken - 1000 <= line["sent"] < len(LARGE)


def test_no_secret_is_logged(tmp_path: Path) -> None:
    """Neither credentials of any kind, nor the value of a query parameter that this server does not know."""
    with logged(tmp_path) as (server, log), wire(server.port) as connection:
        connection.request(
            "GET", "/v2/?token=SECRET1&n=5&%6e=SECRET2", authorization="Bearer SECRET3", cookie="SECRET4"
        )
        connection.reply()
        connection.request("GET", "http://user:SECRET5@host/v2/?access_token=SECRET6")
        connection.reply()
        first, second = log.lines(2)
        assert "SECRET" not in log.path.read_text()
    assert first["target"] == "/v2/?token=...&n=5&%6e=..."
    assert second["target"] == "http://...@host/v2/?access_token=..."


def test_whatever_is_sent_stays_on_its_line(tmp_path: Path) -> None:
    """Quotes, backslashes and bytes that are no ASCII are escaped, and a long target or agent is cut."""
    with logged(tmp_path) as (server, log), wire(server.port) as connection:
        connection.request("GET", '/v2/"\\{}', user_agent='a"b\\c\u00e9')
        connection.reply()
        connection.request("GET", "/v2/" + '"' * 5000, user_agent='"' * 5000)
        connection.reply()
        first, second = log.lines(2)
        longest = max(len(line) for line in log.path.read_bytes().splitlines())
    assert (first["target"], first["agent"]) == ('/v2/"\\{}', 'a"b\\c\u00c3\u00a9')
    assert second["target"] == "/v2/" + '"' * 337 + "..."
    assert longest < 4096


def test_without_a_log_nothing_is_added(tmp_path: Path) -> None:
    """`off` writes no line and gives no ids."""
    config = fresh_config(tmp_path, port=0, unsafe_no_sync=True, access_log="off")
    with in_thread(config) as server:
        assert "x-request-id" not in httpx.get(f"{server.url}/v2/").headers


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_log_that_was_moved_away_is_begun_again(tmp_path: Path, workers: str) -> None:
    """SIGHUP reopens the file; the lines of all workers are whole, and none is lost on the way or at the stop."""
    path = tmp_path / "access.log"
    with in_processes(tmp_path / "data", "--workers", workers, access_log=str(path)) as server:
        assert server.process is not None
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: httpx.get(f"{server.url}/v2/", timeout=60).raise_for_status(), range(100)))
        Log(path).lines(100)
        path.rename(tmp_path / "old.log")
        server.process.send_signal(signal.SIGHUP)
        wait_for(path.exists)
        httpx.get(f"{server.url}/v2/", timeout=60)
        server.process.terminate()
        assert server.process.wait(30) == 0
    old, new = Log(tmp_path / "old.log"), Log(path)
    moved = old.path.read_text().count("\n")
    assert len({line["id"] for line in (*old.lines(moved), *new.lines(101 - moved))}) == 101
    assert path.stat().st_mode & 0o777 == 0o600
