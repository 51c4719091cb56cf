from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from blake3 import blake3

from artifactstore.manifest.codec import decode
from artifactstore.manifest.projection import from_jcs
from tests.http.native_store import Store, opened

CBOR = "application/vnd.artifactstore.manifest.v1+cbor"
JCS = "application/vnd.artifactstore.manifest.v1+json"
PATH = "/api/v1/packages/a/x:v1/manifest"


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    """A store with one package."""
    async with opened() as filled:
        await filled.package("a/x", {"a.txt": b"alpha"}, "v1")
        yield filled


async def test_manifest_is_the_bytes_that_its_digest_names(store: Store) -> None:
    """Without Accept the answer is canonical CBOR, and its blake3 digest is the package's manifest digest and ETag."""
    response = await store.get(PATH)
    digest = f"blake3:{blake3(response.content).hexdigest()}"
    assert response.headers["content-type"] == CBOR
    assert response.headers["etag"] == f'"{digest}"'
    assert digest == (await store.json("/api/v1/packages/a/x:v1"))["manifest_digest"]
    assert [file["path"] for file in decode(response.content)["files"]] == ["a.txt"]


async def test_projection_maps_back_to_the_same_bytes(store: Store) -> None:
    """The JSON projection is another representation with an ETag of its own, from which the CBOR follows exactly."""
    cbor, jcs = await store.get(PATH), await store.get(PATH, accept=JCS)
    assert from_jcs(jcs.content) == cbor.content
    assert jcs.headers["content-type"] == JCS
    assert jcs.headers["etag"] != cbor.headers["etag"]
    assert jcs.headers["vary"] == cbor.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", CBOR),
        ("application/*", CBOR),
        ("application/json", "application/json"),
        (f"{JCS}, {CBOR};q=0.5", JCS),
        (f"{JCS};q=0.5, {CBOR}", CBOR),
        (f"{CBOR};q=0, */*", JCS),
        ("text/html, application/json;q=0.9, */*;q=0.1", "application/json"),
        (JCS.upper(), JCS),
    ],
)
async def test_accept_chooses_the_representation(store: Store, accept: str, media_type: str) -> None:
    """The media type with the highest quality answers, a range counting less than a name."""
    assert (await store.get(PATH, accept=accept)).headers["content-type"] == media_type


@pytest.mark.parametrize("accept", ["text/html", "*/*;q=0", f"{CBOR};q=0"])
async def test_what_cannot_be_represented_is_406(store: Store, accept: str) -> None:
    """An Accept that fits nothing is a problem that names what is on offer."""
    response = await store.get(PATH, accept=accept)
    assert (response.status_code, response.json()["code"]) == (406, "NOT_ACCEPTABLE")
    assert response.json()["errors"]["offered"] == [CBOR, JCS, "application/json"]


async def test_manifest_goes_by_its_own_digest(store: Store) -> None:
    """A native manifest answers under its digest in both forms; once its package is deleted it is unknown."""
    package = await store.json("/api/v1/packages/a/x:v1")
    address = f"/api/v1/manifests/{package['manifest_digest']}"
    assert (await store.get(address)).content == (await store.get(PATH)).content
    assert (await store.get(address, accept=JCS)).content == (await store.get(PATH, accept=JCS)).content
    await store.delete("a/x", package["digest"])
    assert (await store.get(address)).status_code == 404


async def test_held_manifest_is_not_sent_again(store: Store) -> None:
    """If-None-Match with the ETag is 304 without a body, for that representation only."""
    tag = (await store.get(PATH)).headers["etag"]
    same = await store.get(PATH, **{"if-none-match": f'"other", {tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (await store.get(PATH, accept=JCS, **{"if-none-match": tag})).status_code == 200
