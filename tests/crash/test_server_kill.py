"""A server with two workers is killed under load, again and again: what it acknowledged over HTTP is there."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from artifactstore.bootstrap import open_database
from artifactstore.events import replay
from tests.http.servers import in_processes
from tests.stores import IMAGE, fresh_config, image, sha256

ROUNDS = 4
WRITERS = 4
ROUND_SECONDS = (0.7, 2.0)
REPOSITORY = "/v2/kill/one"


@dataclass
class Acknowledged:
    """What writers were told: blobs and manifests by digest, and each writer's own tag."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)


def write(url: str, number: int, seen: Acknowledged, stopping: Callable[[], bool]) -> None:
    """Push images, one request after the other, and note each answer; ends when the server does."""
    chance = random.Random(os.urandom(8))
    with suppress(httpx.TransportError), httpx.Client(base_url=url, timeout=10) as http:
        while not stopping():
            layer = chance.randbytes(chance.choice((10, 5_000, 300_000)))
            push_blob(http, b"{}", seen)
            push_blob(http, layer, seen)
            manifest = image([layer])
            digest = str(sha256(manifest))
            tag = f"writer-{number}"
            seen.tags.setdefault(tag, set()).add(digest)
            answer = http.put(f"{REPOSITORY}/manifests/{tag}", content=manifest, headers={"Content-Type": IMAGE})
            assert answer.status_code == 201, answer.text
            seen.manifests[digest] = manifest
            seen.tags[tag] = {digest}


def push_blob(http: httpx.Client, data: bytes, seen: Acknowledged) -> None:
    """Push a blob in two parts."""
    digest = str(sha256(data))
    place = http.post(f"{REPOSITORY}/blobs/uploads/").headers["Location"]
    half = len(data) // 2
    assert http.patch(place, content=data[:half]).status_code == 202
    answer = http.put(place, params={"digest": digest}, content=data[half:])
    assert answer.status_code == 201, answer.text
    seen.blobs[digest] = data


def check(url: str, seen: Acknowledged) -> None:
    """Everything acknowledged reads back byte for byte; a tag names its last manifest, or the one in flight."""
    with httpx.Client(base_url=url, timeout=30) as http:
        assert http.get("/health/ready").status_code == 200
        for digest, data in seen.blobs.items():
            assert http.get(f"{REPOSITORY}/blobs/{digest}").content == data
        for digest, manifest in seen.manifests.items():
            assert http.get(f"{REPOSITORY}/manifests/{digest}").content == manifest
        for tag, digests in seen.tags.items():
            answer = http.head(f"{REPOSITORY}/manifests/{tag}")
            if answer.status_code == 404:
                assert not digests & set(seen.manifests)
            else:
                assert answer.headers["Docker-Content-Digest"] in digests


def test_killed_server_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """After `kill -9` of all its processes under load a server has each acknowledged push and sound views."""
    fresh_config(tmp_path)
    seen = Acknowledged()
    chance = random.Random(3)
    for _ in range(ROUNDS):
        with in_processes(tmp_path, "--workers", "2") as server:
            check(server.url, seen)
            stop = threading.Event()
            writers = [
                threading.Thread(target=write, args=(server.url, number, seen, stop.is_set))
                for number in range(WRITERS)
            ]
            for writer in writers:
                writer.start()
            stop.wait(chance.uniform(*ROUND_SECONDS))
            assert server.process is not None
            os.killpg(server.process.pid, signal.SIGKILL)
            stop.set()
            for writer in writers:
                writer.join()
    assert len(seen.manifests) > ROUNDS
    assert replay.check(open_database(fresh_config(tmp_path))).differences == ()
    with in_processes(tmp_path) as server:
        check(server.url, seen)
