"""Servers that tests share, and a repository of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.http.daemons import BLOBS, IMAGES
from tests.http.oci_client import Repository
from tests.http.scripts import Player
from tests.http.servers import Server, in_thread
from tests.stores import fresh_config

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server with the settings that everybody gets; repositories under `sparse` accept what is not there."""
    with TemporaryDirectory(prefix="artifactstore-http-") as folder:
        config = fresh_config(Path(folder, "data"), port=0, unsafe_no_sync=True, sparse_repositories=("sparse",))
        with in_thread(config) as running:
            yield running


@pytest.fixture(scope="session")
def limited_server() -> Iterator[Server]:
    """A server that allows little: no deletion, two open uploads, blobs of 100 KiB, pages of 100 entries."""
    with TemporaryDirectory(prefix="artifactstore-http-") as folder:
        config = fresh_config(
            Path(folder, "data"),
            port=0,
            unsafe_no_sync=True,
            delete_blobs=False,
            delete_manifests=False,
            uploads_open_max=2,
            blob_size_max=100 << 10,
            page_size_max=100,
            tags_per_push_max=10,
        )
        with in_thread(config) as running:
            yield running


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    """A client of the shared server, on connections of its own."""
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture
def limited_http(limited_server: Server) -> Iterator[httpx.Client]:
    """A client of the server that allows little."""
    with httpx.Client(base_url=limited_server.url) as client:
        yield client


@pytest.fixture
def repository(http: httpx.Client) -> Repository:
    """A repository that no other test uses."""
    return Repository(http, f"test/r{next(_NUMBERS)}")


@pytest.fixture
def other(http: httpx.Client) -> Repository:
    """Another one."""
    return Repository(http, f"test/r{next(_NUMBERS)}")


@pytest.fixture
def player(http: httpx.Client, repository: Repository, other: Repository) -> Player:
    """Plays a daemon's requests in a new repository; another one holds the base layer of the images."""
    other.push_blob(BLOBS["base"])
    return Player(http, repository.name, other.name, IMAGES)


@pytest.fixture
def limited(limited_http: httpx.Client) -> Repository:
    """A repository on the server that allows little."""
    return Repository(limited_http, f"test/r{next(_NUMBERS)}")
