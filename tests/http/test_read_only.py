"""A store that is only read: every change is refused, and nothing is written."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from hashlib import sha256 as hash_of
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

import artifactstore
from artifactstore.api.http.oci import CHANGES, HANDLERS, READING, UPLOADING
from artifactstore.api.http.server import serve
from artifactstore.bootstrap import open_database, open_registry
from artifactstore.cli.errors import Exit
from artifactstore.cli.main import app
from artifactstore.config import Config
from artifactstore.errors import BackendUnavailable, ReadOnly, SchemaUnsupported
from artifactstore.events import migrate
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from tests.http.servers import in_processes, in_thread
from tests.http.wire import wire
from tests.stores import IMAGE, fresh_registry, image, push_image, sha256

A = RepositoryName("a")
MANIFEST = image([b"layer"], annotations={})
Change = Callable[[Registry], Any]


class _Untouched:
    """A source that nobody may ask for a byte."""

    def __aiter__(self) -> _Untouched:
        return self

    async def __anext__(self) -> bytes:
        raise AssertionError("a byte was taken")


CHANGING: dict[str, Change] = {
    "push_blob": lambda it: it.push_blob(ANONYMOUS, A, _Untouched(), sha256(b"new")),
    "mount_blob": lambda it: it.mount_blob(ANONYMOUS, RepositoryName("b"), sha256(b"layer"), A),
    "delete_blob": lambda it: it.delete_blob(ANONYMOUS, A, sha256(b"layer")),
    "open_upload": lambda it: it.open_upload(ANONYMOUS, A),
    "append_upload": lambda it: it.append_upload(ANONYMOUS, A, OPEN, _Untouched()),
    "close_upload": lambda it: it.close_upload(ANONYMOUS, A, OPEN, _Untouched(), sha256(b"new")),
    "upload_status": lambda it: it.upload_status(ANONYMOUS, A, OPEN),
    "cancel_upload": lambda it: it.cancel_upload(ANONYMOUS, A, OPEN),
    "push_manifest": lambda it: it.push_manifest(ANONYMOUS, A, TagName("v2"), MANIFEST, media_type=None),
    "tag": lambda it: it.tag(ANONYMOUS, A, TagName("v2"), TagName("v1")),
    "delete_tag": lambda it: it.delete_tag(ANONYMOUS, A, TagName("v1")),
    "delete_manifest": lambda it: it.delete_manifest(ANONYMOUS, A, sha256(MANIFEST)),
    "delete_repository": lambda it: it.delete_repository(ANONYMOUS, A),
    "sweep": lambda it: it.sweep(),
}
READS = {
    *("aliases", "attachments", "close", "deletion", "events", "file", "files", "get_bytes", "head", "health"),
    *("holdings", "missing", "native_manifest", "native_manifest_by_digest", "package", "packages", "referrers"),
    *("repositories", "repository", "resolve", "resolve_blob", "serve", "tag_history", "tags", "tail"),
}
NOT_OFFERED = {"set_retention", "hold", "release", "expire"}
OPEN = "0123456789abcdef" * 2
"""The upload that the store has open."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with an image, an open upload, and one that was opened in 1970, for the sweep."""

    async def fill() -> None:
        registry = fresh_registry(tmp_path / "data")
        await push_image(registry, "a", "v1", [b"layer"])
        monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(OPEN))
        await registry.open_upload(ANONYMOUS, A)
        monkeypatch.undo()
        await registry.close()
        earlier = fresh_registry(tmp_path / "data", clock=lambda: 1)
        await earlier.open_upload(ANONYMOUS, A)
        await earlier.close()

    asyncio.run(fill())
    return tmp_path / "data"


def contents(directory: Path) -> dict[str, str]:
    """The digest of every file below a directory, but for what SQLite needs to share a database."""
    files = [path for path in directory.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"]
    found = {str(path): hash_of(path.read_bytes()).hexdigest() for path in files}
    return {path: digest for path, digest in found.items() if digest != hash_of(b"").hexdigest()}


def test_every_method_is_known_to_change_or_not() -> None:
    """Whoever adds a method to the Registry says here whether it changes the store."""
    methods = {name for name in dir(Registry) if not name.startswith("_")}
    assert methods == set(CHANGING) | READS | NOT_OFFERED


@pytest.mark.parametrize("name", CHANGING)
async def test_every_change_is_refused(data: Path, name: str) -> None:
    """Each method that changes the store raises ReadOnly without taking a byte, and no file is another than before."""
    before = contents(data)
    registry = artifactstore.open(data=str(data), read_only=True)
    with pytest.raises(ReadOnly):
        await CHANGING[name](registry)
    await registry.close()
    assert contents(data) == before


def test_every_change_over_http_is_refused_first() -> None:
    """What a request for a change of `/v2` meets is the refusal, and no handler that could read its body."""
    changed = {kind for kind in HANDLERS if READING[kind] is not HANDLERS[kind]}
    assert changed == {*CHANGES, *UPLOADING}
    assert {kind.__name__ for kind in set(HANDLERS) - changed} == {
        *("Ping", "BlobGet", "ManifestGet", "TagList", "ReferrerList"),
        *("TagHistory", "RepositoryList", "Catalog", "Discover"),
    }


def test_a_read_only_server_answers_reads_alone(data: Path) -> None:
    """Reads are answered; a push is refused before its body is asked for, with what would be answered instead."""
    before = contents(data)
    with in_thread(Config(data=str(data), port=0, read_only=True, sweep_interval=1)) as server:
        at = f"{server.url}/v2/a"
        assert httpx.get(f"{at}/manifests/v1").content == MANIFEST
        assert httpx.get(f"{at}/blobs/{sha256(b'layer')}").content == b"layer"
        refused = httpx.put(f"{at}/manifests/v2", content=b"no manifest")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        assert refused.json()["errors"][0] == {
            "code": "UNSUPPORTED",
            "message": "the store is read-only",
            "detail": {},
        }
        native = httpx.delete(f"{server.url}/api/v1/repositories/a")
        assert (native.status_code, native.json()["code"]) == (405, "READ_ONLY")
        health = httpx.get(f"{server.url}/health").json()
        assert (health["status"], health["read_only"]) == ("ready", True)
        with wire(server.port) as connection:
            digest = sha256(b"x" * 10)
            connection.request(
                "POST", f"/v2/a/blobs/uploads/?digest={digest}", expect="100-continue", content_length="10"
            )
            assert connection.reply().status == 405
    assert contents(data) == before


def test_a_read_only_server_sees_what_another_pushes(data: Path) -> None:
    """Beside a server that writes, one that only reads answers each change once it is acknowledged."""
    with (
        in_thread(Config(data=str(data), port=0)) as writing,
        in_thread(Config(data=str(data), port=0, read_only=True)) as reading,
    ):
        put = httpx.put(f"{writing.url}/v2/a/manifests/v2", content=MANIFEST, headers={"content-type": IMAGE})
        assert put.status_code == 201
        assert httpx.get(f"{reading.url}/v2/a/manifests/v2").content == MANIFEST


def test_the_command_serves_read_only(data: Path) -> None:
    """`serve --read-only`, with several workers too."""
    with in_processes(data, "--read-only", "--workers", "2") as server:
        assert httpx.get(f"{server.url}/health", timeout=30).json()["read_only"] is True
        assert httpx.post(f"{server.url}/v2/a/blobs/uploads/", timeout=30).status_code == 405


@pytest.mark.parametrize("command", ["sweep", "replay"])
def test_commands_that_change_are_refused(data: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """The setting holds for every command: one that would change the store ends with 8."""
    monkeypatch.setenv("ARTIFACTSTORE_READ_ONLY", "true")
    before = contents(data)
    result = CliRunner().invoke(app, [command, "--data", str(data)], prog_name="artifactstore")
    assert (result.exit_code, "READ_ONLY" in result.stderr) == (Exit.DENIED, True), result.output
    assert contents(data) == before


def test_nothing_is_made_or_migrated(tmp_path: Path) -> None:
    """Where there is no store none is made, and a database without a schema is refused as it is."""
    config = Config(data=str(tmp_path / "none"), read_only=True, port=0)
    with pytest.raises(BackendUnavailable):
        open_registry(config)
    assert not (tmp_path / "none").exists()
    (tmp_path / "none").mkdir()
    Path(config.sqlite_path).touch()
    for opening in (lambda: serve(config), lambda: open_registry(config)):
        with pytest.raises(SchemaUnsupported):
            opening()
    for changing in (lambda: migrate.upgrade(open_database(config)), lambda: open_registry(config, create=True)):
        with pytest.raises(ReadOnly):
            changing()
    assert contents(tmp_path / "none") == {}


@pytest.fixture
def unwritable(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory in which this process may make no file."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    return data


async def test_a_store_that_cannot_be_written_to_is_read(unwritable: Path) -> None:
    """Stopped cleanly, it needs no file beside it, and gets none."""
    before = contents(unwritable)
    registry = artifactstore.open(data=str(unwritable), read_only=True)
    found = await registry.resolve(ANONYMOUS, A, TagName("v1"))
    assert await (await registry.serve(found)).read() == MANIFEST
    await registry.close()
    assert contents(unwritable) == before
    assert not Path(f"{Config(data=str(unwritable)).sqlite_path}-shm").exists()  # noqa: ASYNC240 - one look


async def test_a_writer_ends_the_reading_of_an_unchanging_store(unwritable: Path) -> None:
    """Who writes to a store that was opened as unchanging makes its reader unready, while at it and ever after."""
    registry = artifactstore.open(data=str(unwritable), read_only=True)
    assert (await registry.health()).ready
    writer = fresh_registry(unwritable)
    with pytest.raises(BackendUnavailable, match="somebody writes"):
        await registry.resolve(ANONYMOUS, A, TagName("v1"))
    await push_image(writer, "a", "v2", [b"more"])
    await writer.close()
    with pytest.raises(BackendUnavailable, match="somebody writes"):
        await registry.tags(ANONYMOUS, A, limit=10)
    health = await registry.health()
    assert (health.ready, health.checks["database"][0]) == (False, False)
    await registry.close()
