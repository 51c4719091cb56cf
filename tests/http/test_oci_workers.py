"""Several processes and several lives of a server over one store."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path

import httpx
import pytest

from tests.http.oci_client import Repository, digest, image, refused
from tests.http.servers import Server, in_processes, stop, wait_for
from tests.stores import fresh_config

DATA = bytes(range(256)) * 4096
STEP = 100_000


@cache
def client(url: str) -> httpx.Client:
    """A client whose every request has a connection of its own, which the kernel gives to any of the processes."""
    return httpx.Client(base_url=url, headers={"connection": "close"}, timeout=30)


def fresh(url: str, name: str = "test/many") -> Repository:
    """A repository behind such a client."""
    return Repository(client(url), name)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two worker processes."""
    data = tmp_path_factory.mktemp("pair") / "data"
    fresh_config(data)
    with in_processes(data, "--workers", "2", unsafe_no_sync="true") as running:
        wait_for(lambda: answers(running))
        yield running


def answers(server: Server) -> bool:
    """Whether the server serves yet."""
    try:
        return client(server.url).get("/v2/").status_code == 200
    except httpx.TransportError:
        return False


def test_an_upload_goes_on_in_any_process(pair: Server) -> None:
    """Ten chunks, each on a connection of its own, and a close by an algorithm that nobody announced."""
    for attempt in range(5):
        data = DATA + bytes([attempt])
        upload = fresh(pair.url).open_upload()
        for start in range(0, len(data), STEP):
            assert fresh(pair.url).patch(upload, data[start : start + STEP], start).status_code == 202
        assert fresh(pair.url).close(upload, digest(data, "sha512")).status_code == 201
        assert fresh(pair.url).get(f"blobs/{digest(data, 'blake3')}").content == data


def test_what_one_process_acknowledged_every_other_knows(pair: Server) -> None:
    """A push, a move of a tag and a deletion are seen at once on every connection."""
    for number in range(20):
        body = image(annotations={"n": str(number)})
        named = fresh(pair.url).push("latest", body)
        for _ in range(4):
            assert fresh(pair.url).get("manifests/latest").headers["docker-content-digest"] == named
        assert fresh(pair.url).http.delete(f"/v2/test/many/manifests/{named}").status_code == 202
        for _ in range(4):
            assert fresh(pair.url).get(f"manifests/{named}").status_code == 404


def test_many_clients_write_through_two_processes(pair: Server) -> None:
    """Concurrent pushes of different tags all succeed, and the list has each of them."""

    def push(number: int) -> str:
        return fresh(pair.url, "test/crowd").push(f"t{number:02}", image(annotations={"n": str(number)}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(push, range(40)))
    assert fresh(pair.url, "test/crowd").tags() == [f"t{number:02}" for number in range(40)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_upload_survives_a_restart(tmp_path: Path, workers: str, number: signal.Signals) -> None:
    """A server that is told to stop ends with 0; the next one goes on with its uploads and has its manifests."""
    data = tmp_path / "data"
    fresh_config(data)
    with in_processes(data, "--workers", workers) as first:
        wait_for(lambda: answers(first))
        upload = fresh(first.url).open_upload()
        assert fresh(first.url).patch(upload, DATA[:STEP], 0).status_code == 202
        named = fresh(first.url).push("v1", image())
        assert first.process is not None
        first.process.send_signal(number)
        assert first.process.wait(30) == 0
    with in_processes(data, "--workers", workers) as second:
        wait_for(lambda: answers(second))
        assert fresh(second.url).http.get(upload).headers["range"] == f"0-{STEP - 1}"
        assert fresh(second.url).patch(upload, DATA[STEP:], STEP).status_code == 202
        assert fresh(second.url).close(upload, digest(DATA)).status_code == 201
        assert fresh(second.url).get("manifests/v1").headers["docker-content-digest"] == named


def test_a_request_under_way_is_finished_before_the_end(tmp_path: Path) -> None:
    """SIGTERM lets an upload that is coming in finish, and then the server goes."""
    data = tmp_path / "data"
    fresh_config(data)
    with in_processes(data) as server:
        wait_for(lambda: answers(server))
        repository = fresh(server.url)

        def slowly() -> Iterator[bytes]:
            yield DATA[:STEP]
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: not answers(server))
            yield DATA[STEP:]

        url = f"{repository.at}/blobs/uploads/"
        answer = repository.http.post(url, params={"digest": digest(DATA)}, content=slowly())
        assert answer.status_code == 201
        assert server.process is not None
        assert stop(server.process) == 0


def test_an_upload_expires(tmp_path: Path) -> None:
    """Past its time an upload is unknown, and the sweep takes its bytes away."""
    data = tmp_path / "data"
    config = fresh_config(data)
    with in_processes(data, upload_expiry="60") as server:
        wait_for(lambda: answers(server))
        repository = fresh(server.url)
        upload = repository.open_upload()
        repository.patch(upload, DATA, 0)
    age(config.sqlite_path, 61)
    with in_processes(data, upload_expiry="60", sweep_interval="1") as server:
        wait_for(lambda: answers(server))
        assert refused(fresh(server.url).http.get(upload)) == (404, ["BLOB_UPLOAD_UNKNOWN"])
        wait_for(lambda: not any(path.stat().st_size for path in Path(config.local_root, "staging").iterdir()))


def age(database: str, seconds: int) -> None:
    """Let every open upload have begun earlier."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE upload_sessions SET created_at = created_at - ?", (seconds * 1_000_000,))
