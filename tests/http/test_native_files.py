from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from blake3 import blake3

from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName
from tests.http.native_store import EMPTY, TITLE, Store, descriptor, image, opened, sha256

DATA = bytes(range(256))
FILES = "/api/v1/packages/a/x:v1/files"


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    """A store with one package of three files, that takes sparse manifests in `sparse`."""
    async with opened(sparse_repositories=("sparse",)) as filled:
        await filled.package("a/x", {"a.txt": b"alpha", "sub/b.bin": DATA, None: b"untitled"}, "v1")
        yield filled


async def test_files_are_listed_with_all_digests(store: Store) -> None:
    """Files come in the order of the manifest, with path, size and digests; one without a title has no path."""
    files = (await store.json(FILES))["files"]
    assert [(file["position"], file["path"], file["size"]) for file in files] == [
        (0, "a.txt", 5),
        (1, "sub/b.bin", 256),
        (2, None, 8),
    ]
    assert files[1]["digests"] == {"blake3": f"blake3:{blake3(DATA).hexdigest()}", "sha256": sha256(DATA)}
    assert all(file["present"] and file["content_address"] == file["digests"]["blake3"] for file in files)


async def test_files_page(store: Store) -> None:
    """Following `next` shows each file once, in order."""
    positions, address = [], f"{FILES}?n=2"
    while address:
        page = await store.json(address)
        positions.append([file["position"] for file in page["files"]])
        address = page["next"]
    assert positions == [[0, 1], [2]]


async def test_file_is_the_bytes_pushed(store: Store) -> None:
    """A file's bytes come with length, ETag, and as something to save under its name rather than to show."""
    response = await store.get(f"{FILES}/sub/b.bin")
    assert response.content == DATA
    assert response.headers["etag"] == f'"blake3:{blake3(DATA).hexdigest()}"'
    assert response.headers["content-length"] == "256"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''b.bin"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", [f"blake3:{blake3(b'untitled').hexdigest()}", sha256(b"untitled")])
async def test_file_without_path_goes_by_digest(store: Store, name: str) -> None:
    """A file without a path is named by any of its digests."""
    assert (await store.get(f"{FILES}/{name}")).content == b"untitled"


@pytest.mark.parametrize(
    "path",
    ["a b.txt", "a%20b.txt", "ünïcode/é", "a?b#c", "q&a=1", "line\nbreak", "x:y@z", "files/manifest", 'say "hi"'],
)
async def test_paths_are_decoded_once(store: Store, path: str) -> None:
    """Whatever a title holds, its percent-encoded form is its address, and is decoded once."""
    await store.package("a/odd", {path: b"here"}, "v1")
    listed = await store.json("/api/v1/packages/a/odd:v1/files")
    assert listed["files"][0]["path"] == path
    response = await store.get(f"/api/v1/packages/a/odd:v1/files/{quote(path)}")
    assert (response.status_code, response.content) == (200, b"here")
    assert response.headers["content-disposition"].isascii()


@pytest.mark.parametrize(
    ("asked", "status", "body", "where"),
    [
        ("bytes=0-0", 206, DATA[:1], "bytes 0-0/256"),
        ("bytes=250-", 206, DATA[250:], "bytes 250-255/256"),
        ("bytes=-6", 206, DATA[-6:], "bytes 250-255/256"),
        ("bytes=10-9999", 206, DATA[10:], "bytes 10-255/256"),
        ("bytes=0-1,4-5", 200, DATA, None),
        ("lines=1-2", 200, DATA, None),
    ],
)
async def test_range_of_a_file(store: Store, asked: str, status: int, body: bytes, where: str | None) -> None:
    """One range of bytes is answered with that part; what is no single range of bytes with the whole."""
    response = await store.get(f"{FILES}/sub/b.bin", range=asked)
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("content-range") == where


async def test_range_beyond_the_end_is_416(store: Store) -> None:
    """A range of which no byte exists is a problem that says how long the file is."""
    response = await store.get(f"{FILES}/sub/b.bin", range="bytes=256-")
    assert (response.status_code, response.json()["code"]) == (416, "RANGE_INVALID")
    assert response.headers["content-range"] == "bytes */256"


async def test_if_range_of_other_content_gives_the_whole(store: Store) -> None:
    """If-Range with the file's ETag gives the part, with any other the whole."""
    tag = (await store.client.head(f"{FILES}/sub/b.bin")).headers["etag"]
    part = await store.get(f"{FILES}/sub/b.bin", range="bytes=0-1", **{"if-range": tag})
    whole = await store.get(f"{FILES}/sub/b.bin", range="bytes=0-1", **{"if-range": '"other"'})
    assert (part.status_code, whole.status_code) == (206, 200)


async def test_held_file_is_not_sent_again(store: Store) -> None:
    """If-None-Match with the ETag is 304."""
    tag = (await store.client.head(f"{FILES}/a.txt")).headers["etag"]
    assert (await store.get(f"{FILES}/a.txt", **{"if-none-match": tag})).status_code == 304


async def test_head_ignores_a_range(store: Store) -> None:
    """HEAD answers for the whole file whatever Range says."""
    response = await store.client.head(f"{FILES}/sub/b.bin", headers={"range": "bytes=0-1"})
    assert (response.status_code, response.headers["content-length"]) == (200, "256")


async def test_deleted_blob_stays_readable_as_a_file(store: Store) -> None:
    """A live package keeps its own reference: its file is served after the repository's link to the blob is gone."""
    repository = RepositoryName.parse("a/x")
    await store.registry.delete_blob(ANONYMOUS, repository, Digest.parse(sha256(b"alpha")))
    assert (await store.get(f"{FILES}/a.txt")).content == b"alpha"


async def test_absent_file_is_said_to_be_absent_until_it_comes(store: Store) -> None:
    """A file that was never pushed is listed as absent and is 404; once its blob is there both say so."""
    later = b"pushed later"
    await store.blob("sparse", EMPTY)
    await store.manifest("sparse", image([descriptor(later, **{TITLE: "later.txt"})]), "v1")
    address = "/api/v1/packages/sparse:v1/files"
    absent = (await store.json(address))["files"][0]
    assert (absent["present"], absent["content_address"], absent["digests"]) == (False, None, {"sha256": sha256(later)})
    assert (await store.get(f"{address}/later.txt")).json()["code"] == "FILE_UNKNOWN"
    await store.blob("sparse", later)
    present = (await store.json(address))["files"][0]
    assert (present["present"], present["content_address"]) == (True, f"blake3:{blake3(later).hexdigest()}")
    for name in ("later.txt", sha256(later), present["content_address"]):
        assert (await store.get(f"{address}/{name}")).content == later


async def test_first_file_of_a_repeated_path_answers(store: Store) -> None:
    """Two layers may have one title; the first is the one that the path names, and both are listed."""
    for data in (EMPTY, b"first", b"second"):
        await store.blob("a/twice", data)
    layers = [descriptor(data, **{TITLE: "same"}) for data in (b"first", b"second")]
    await store.manifest("a/twice", image(layers, artifactType="application/vnd.example"), "v1")
    assert (await store.get("/api/v1/packages/a/twice:v1/files/same")).content == b"first"
    assert len((await store.json("/api/v1/packages/a/twice:v1/files"))["files"]) == 2
