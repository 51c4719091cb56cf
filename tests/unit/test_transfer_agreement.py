"""Native manifests of one package, derived by stores that knew more or less of its content."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from artifactstore import bootstrap
from artifactstore.config import Config
from artifactstore.errors import ManifestInvalid
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.manifest.model import NativeManifest
from artifactstore.transfer import LocalRepository, Root, copy
from artifactstore.transfer.agreement import require_same_package
from tests.stores import descriptor, image, push_blob, push_image, push_manifest, sha256
from tests.transfers import HERE, THERE, V1

FOREIGN = json.dumps(
    json.loads(image([]))
    | {"layers": [descriptor(b"foreign", "application/vnd.oci.image.layer.nondistributable.v1.tar")]}
).encode()


@pytest.mark.parametrize(
    ("before", "after", "there"),
    [(False, False, True), (False, True, False), (True, False, False), (False, True, True)],
)
async def test_a_layer_that_only_one_side_knew_is_no_difference(before: bool, after: bool, there: bool) -> None:
    """Whether a foreign layer came before the manifest, after it, or is at the target alone, the package is copied."""
    store, target = bootstrap.open_memory(), bootstrap.open_memory()
    await push_blob(store, HERE, b"{}")
    if before:
        await push_blob(store, HERE, b"foreign")
    await push_manifest(store, HERE, "v1", FOREIGN)
    if after:
        await push_blob(store, HERE, b"foreign")
    if there:
        await push_blob(target, THERE, b"foreign")
    try:
        report = await copy(
            LocalRepository(store, ANONYMOUS, HERE), LocalRepository(target, ANONYMOUS, THERE), [Root(V1, V1)]
        )
        assert report.tags == [V1]
    finally:
        await store.close()
        await target.close()


async def test_a_sparse_package_that_was_filled_is_copied() -> None:
    """What a sparse repository got after the manifest is known to the copy and not to the original."""
    store = bootstrap.open_memory(Config(sparse_repositories=(HERE,)))
    try:
        await push_manifest(store, HERE, "v1", image([b"layer"]))
        for data in (b"{}", b"layer"):
            await push_blob(store, HERE, data)
        here, there = (LocalRepository(store, ANONYMOUS, name) for name in (HERE, THERE))
        assert (await copy(here, there, [Root(V1, V1)])).tags == [V1]
    finally:
        await store.close()


@pytest.fixture
async def native() -> bytes:
    """The native manifest of an image whose content is all known."""
    store = bootstrap.open_memory()
    try:
        await push_image(store, HERE, "v1", [b"layer"])
        found, _ = await store.native_manifest(ANONYMOUS, HERE, V1)
        return found
    finally:
        await store.close()


def knowing(native: bytes, *, layers: tuple[bytes, ...] = (b"layer",), config: bytes = b"{}") -> bytes:
    """What a store says of an image that knows of its content no more than what it is named by."""
    manifest = NativeManifest.from_cbor(native)
    assert manifest.provenance.oci is not None
    assert manifest.provenance.oci.config is not None
    files = tuple(
        replace(manifest.files[0], position=position, digests={"sha256": str(sha256(layer))})
        for position, layer in enumerate(layers)
    )
    named = replace(manifest.provenance.oci.config, digests={"sha256": str(sha256(config))})
    provenance = replace(manifest.provenance, oci=replace(manifest.provenance.oci, config=named))
    return replace(manifest, files=files, storage_receipts=(), provenance=provenance).to_cbor()


def test_digests_that_both_sides_have_must_be_equal(native: bytes) -> None:
    """A digest that one side lacks is no difference, another one of a file or of the config is, and so is a file."""
    require_same_package(knowing(native), native, "here")
    require_same_package(native, knowing(native), "here")
    wrong = {
        "files": [knowing(native, layers=(b"other",)), knowing(native, layers=(b"layer", b"layer"))],
        "provenance": [knowing(native, config=b"other")],
    }
    for part, manifests in wrong.items():
        for told in manifests:
            with pytest.raises(ManifestInvalid) as raised:
                require_same_package(told, native, "here")
            assert part in raised.value.detail["differing"]


def test_what_is_no_native_manifest_is_refused(native: bytes) -> None:
    """Bytes that are none are refused with the place that they came from."""
    with pytest.raises(ManifestInvalid, match="here: its native manifest: "):
        require_same_package(b"\x00", native, "here")
