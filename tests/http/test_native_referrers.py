from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.http.native_store import EMPTY, OCI_INDEX, Store, descriptor, image, opened, subject

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "dev.sigstore.bundle.predicateType"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE = "application/vnd.dsse.envelope.v1+json"


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    """An empty store."""
    async with opened() as empty:
        yield empty


async def referrers(store: Store, digest: str, query: str = "") -> list[dict[str, Any]]:
    """The referrers of a package of `a/x`."""
    found: list[dict[str, Any]] = (await store.json(f"/api/v1/packages/a/x@{digest}/referrers{query}"))["referrers"]
    return found


async def attach(store: Store, tag: str, layer_type: str) -> str:
    """Push a manifest of one layer under a tag, the way cosign 2 attaches things."""
    for data in (EMPTY, b"statement"):
        await store.blob("a/x", data)
    return await store.manifest("a/x", image([descriptor(b"statement", layer_type)]), tag)


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"artifactType": BUNDLE, "annotations": {PREDICATE: "https://sigstore.dev/cosign/sign/v1"}}, "signature"),
        ({"artifactType": BUNDLE, "annotations": {PREDICATE: "https://slsa.dev/provenance/v1"}}, "attestation"),
        ({"artifactType": "application/vnd.cncf.notary.signature"}, "signature"),
        ({"artifactType": "application/spdx+json"}, "sbom"),
        ({"artifactType": "application/vnd.example.note"}, "package"),
    ],
)
async def test_referrer_has_a_role(store: Store, fields: dict[str, Any], role: str) -> None:
    """A manifest that names the package as its subject is listed with the role that its types say."""
    package = await store.package("a/x", {"a": b"1"}, "v1")
    digest = await store.package("a/x", {None: b"2"}, subject=subject(package), **fields)
    found = await referrers(store, package)
    assert [(row["digest"], row["role"], row["via"]) for row in found] == [(digest, role, "subject")]
    assert found[0]["artifact_type"] == fields["artifactType"]
    assert found[0]["annotations"] == fields.get("annotations", {})


@pytest.mark.parametrize(
    ("suffix", "layer", "role"),
    [("sig", SIMPLE_SIGNING, "signature"), ("att", DSSE, "attestation"), ("sbom", "text/spdx+json", "sbom")],
)
async def test_cosign_tags_are_referrers(store: Store, suffix: str, layer: str, role: str) -> None:
    """What cosign 2 attaches by a tag made of the digest is listed beside the package."""
    package = await store.package("a/x", {"a": b"1"}, "v1")
    digest = await attach(store, f"{package.replace(':', '-')}.{suffix}", layer)
    found = await referrers(store, package)
    assert [(row["digest"], row["role"], row["via"]) for row in found] == [(digest, role, "tag")]


async def test_fallback_index_lists_referrers(store: Store) -> None:
    """The members of a referrers fallback index are listed, each once, also when they name the subject themselves."""
    package = await store.package("a/x", {"a": b"1"}, "v1")
    named = await store.package("a/x", {None: b"2"}, artifactType="text/spdx", subject=subject(package))
    unnamed = await store.package("a/x", {None: b"3"}, artifactType="text/spdx")
    members = [
        subject(digest, (await store.json(f"/api/v1/packages/a/x@{digest}"))["size"]) for digest in (named, unnamed)
    ]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": members}
    await store.manifest("a/x", index, package.replace(":", "-"))
    found = await referrers(store, package)
    assert [(row["digest"], row["via"]) for row in found] == [(named, "subject"), (unnamed, "fallback-tag")]


async def test_referrers_page_in_order_of_arrival(store: Store) -> None:
    """Following `next` shows each referrer once, whichever way it refers, in order of arrival."""
    package = await store.package("a/x", {"a": b"1"}, "v1")
    expected = [await store.package("a/x", {None: b"r%d" % n}, subject=subject(package)) for n in range(2)]
    expected.append(await attach(store, f"{package.replace(':', '-')}.sig", SIMPLE_SIGNING))
    expected += [await store.package("a/x", {None: b"s%d" % n}, subject=subject(package)) for n in range(2)]
    pages, address = [], "/api/v1/packages/a/x:v1/referrers?n=2"
    while address:
        page = await store.json(address)
        pages.append([row["digest"] for row in page["referrers"]])
        address = page["next"]
    assert pages == [expected[:2], expected[2:4], expected[4:]]


async def test_referrers_are_found_by_every_name_of_the_package(store: Store) -> None:
    """The native digest and the blake3 digest of a package lead to the same referrers as its tag."""
    digest = await store.package("a/x", {"a": b"1"}, "v1")
    await store.package("a/x", {None: b"2"}, subject=subject(digest))
    package = await store.json("/api/v1/packages/a/x:v1")
    expected = await referrers(store, digest)
    assert len(expected) == 1
    assert await referrers(store, package["content_address"]) == expected
    assert await referrers(store, package["manifest_digest"]) == expected


async def test_deleted_referrer_is_gone(store: Store) -> None:
    """A referrer that was deleted is listed no more."""
    package = await store.package("a/x", {"a": b"1"}, "v1")
    digest = await store.package("a/x", {None: b"2"}, subject=subject(package))
    await store.delete("a/x", digest)
    assert await referrers(store, package) == []
