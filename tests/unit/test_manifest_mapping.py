"""OCI to native and back: derived, made as a face, and adopted."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

import pytest

from artifactstore.errors import ManifestBlobUnknown, ManifestInvalid
from artifactstore.identity.digest import digest_bytes
from artifactstore.manifest.mapping import (
    NATIVE_MEDIA_TYPE,
    PACKAGE_ARTIFACT_TYPE,
    Known,
    adopt,
    derive,
    face,
)
from artifactstore.manifest.media_types import OCI_INDEX, OCI_MANIFEST
from artifactstore.manifest.model import File, NativeManifest, Package, Provenance, Relation, StorageReceipt
from artifactstore.manifest.oci import OciManifest, parse

TITLE = "org.opencontainers.image.title"
PUSHED = {name: str(digest_bytes(name, b"the manifest")) for name in ("blake3", "sha256", "sha512")}


def known(data: bytes) -> Known:
    """Content as a store holds it, with one digest more than anybody asked for."""
    digests = {name: str(digest_bytes(name, data)) for name in ("blake3", "sha256", "sha512")}
    return Known(digests["blake3"], len(data), digests)


def held(*contents: bytes) -> dict[str, Known]:
    """What a repository holds, under every digest."""
    return {text: item for item in map(known, contents) for text in item.digests.values()}


def layer(data: bytes, algorithm: str = "sha256", **annotations: str) -> dict[str, Any]:
    """A descriptor of content."""
    described = {"mediaType": "text/plain", "digest": str(digest_bytes(algorithm, data)), "size": len(data)}
    return described | {"annotations": annotations} if annotations else described


def pushed(**fields: Any) -> OciManifest:
    """A parsed image manifest."""
    return parse(json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST} | fields).encode())


def test_layers_become_files_in_order() -> None:
    """Each layer is a file at its position; its title is the path, its other annotations are the metadata."""
    layers = [layer(b"b", **{TITLE: "dir/b", "k": "v"}), layer(b"a"), layer(b"b", **{TITLE: ""})]
    native = derive("acme/x", pushed(layers=layers), PUSHED, 12, held(b"a", b"b"))
    assert [(item.position, item.path, item.metadata) for item in native.files] == [
        (0, "dir/b", {"k": "v"}),
        (1, None, {}),
        (2, None, {}),
    ]
    assert NativeManifest.from_cbor(native.to_cbor()) == native


def test_content_has_the_digests_always_known_and_the_one_it_was_named_by() -> None:
    """Known content gets blake3, sha256 and the named algorithm; nothing else that the store knows, so the same
    push gives the same bytes everywhere. Content that is not here keeps only its name."""
    layers = [layer(b"a"), layer(b"a", "sha512"), layer(b"a", "blake3"), layer(b"gone", "sha512")]
    native = derive("acme/x", pushed(layers=layers), PUSHED, 12, held(b"a"))
    assert [sorted(item.digests) for item in native.files] == [
        ["blake3", "sha256"],
        ["blake3", "sha256", "sha512"],
        ["blake3", "sha256"],
        ["sha512"],
    ]
    assert native.storage_receipts == (
        StorageReceipt(
            str(digest_bytes("blake3", b"a")),
            1,
            {name: str(digest_bytes(name, b"a")) for name in ("blake3", "sha256")},
        ),
    )
    assert native.provenance.oci is not None
    assert native.provenance.oci.digests.keys() == {"blake3", "sha256"}


def test_receipts_are_sorted_and_distinct_and_include_the_config() -> None:
    """Config and layers with the same content share one receipt, and receipts are sorted by address."""
    contents = [b"a", b"b", b"c"]
    manifest = pushed(config=layer(b"c"), layers=[layer(data) for data in (b"b", b"a", b"b", b"c")])
    native = derive("acme/x", manifest, PUSHED, 12, held(*contents))
    addresses = [item.content_address for item in native.storage_receipts]
    assert addresses == sorted(known(data).address for data in contents)
    assert native.provenance.oci is not None
    assert native.provenance.oci.config is not None


def test_the_producer_is_quoted_and_nobody_else() -> None:
    """Kind, annotations, creation time and retention class come from the manifest; there is no clock and no actor."""
    annotations = {
        "org.opencontainers.image.created": "2025-10-11T12:00:00+02:00",
        "artifactstore.retention.class": "record",
    }
    native = derive("acme/x", pushed(artifactType="a/b", annotations=annotations), PUSHED, 12, {})
    assert native.package == Package("acme/x", "a/b", annotations, "2025-10-11T12:00:00+02:00")
    assert native.retention_class == "record"


def test_a_creation_time_that_is_none_stays_metadata() -> None:
    """An annotation that is not RFC 3339 gives no `created`, and refuses nothing."""
    native = derive("acme/x", pushed(annotations={"org.opencontainers.image.created": "today"}), PUSHED, 12, {})
    assert (native.package.created, len(native.package.metadata)) == (None, 1)


def test_subject_and_members_become_relations() -> None:
    """The subject comes first, then the members as listed, each with what its descriptor says."""
    child = {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "b" * 64, "size": 7, "artifactType": "t/t"}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child, child], "subject": layer(b"s")}
    native = derive("acme/x", parse(json.dumps(index).encode()), PUSHED, 12, {})
    assert [item.relation for item in native.provenance.relations] == ["subject", "member", "member"]
    assert native.provenance.relations[1].artifact_type == "t/t"
    assert (native.files, native.storage_receipts) == ((), ())
    assert NativeManifest.from_cbor(native.to_cbor()) == native


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"layers": [layer(b"a"), layer(b"a") | {"size": 2}]}, "/layers/1/size"),
        ({"config": layer(b"a") | {"size": 0}, "layers": []}, "/config/size"),
        ({"mediaType": OCI_INDEX, "manifests": [layer(b"a") | {"size": 2}]}, "/manifests/0/size"),
    ],
)
def test_a_size_that_lies_about_known_content_is_refused(fields: dict[str, Any], path: str) -> None:
    """A descriptor whose size differs from the content held is MANIFEST_INVALID, with its path."""
    with pytest.raises(ManifestInvalid) as caught:
        derive("acme/x", pushed(**fields), PUSHED, 12, held(b"a"))
    assert caught.value.detail["path"] == path


def test_the_size_of_a_subject_never_counts() -> None:
    """A referrer is accepted whatever it says of its subject."""
    derive("acme/x", pushed(layers=[], subject=layer(b"a") | {"size": 9}), PUSHED, 12, held(b"a"))


def native_package(files: Iterable[tuple[str, bytes]], **metadata: Any) -> NativeManifest:
    """A natively ingested package."""
    contents = {path: known(data) for path, data in files}
    ordered = sorted(contents.items(), key=lambda item: item[0].encode())
    always = {
        item.address: StorageReceipt(
            item.address, item.size, {name: item.digests[name] for name in ("blake3", "sha256")}
        )
        for item in contents.values()
    }
    return NativeManifest(
        Package("acme/kit", "acme.kit", metadata),
        tuple(
            File(position, "text/plain", item.size, always[item.address].digests, path)
            for position, (path, item) in enumerate(ordered)
        ),
        tuple(always[address] for address in sorted(always)),
        Provenance("native"),
    )


KIT = native_package([("b/ü.txt", b"one"), ("a.txt", b"two"), ("b/a.txt", b"two")], nested={"a": [1, 0.5]})


def test_a_native_package_has_one_oci_face() -> None:
    """The face is compact JSON: artifact type, the native manifest as config, a titled layer for each file by path."""
    made = face(KIT)
    said = json.loads(made)
    cbor = KIT.to_cbor()
    assert list(said) == ["schemaVersion", "mediaType", "artifactType", "config", "layers"]
    assert said["artifactType"] == PACKAGE_ARTIFACT_TYPE
    assert said["config"] == {
        "mediaType": NATIVE_MEDIA_TYPE,
        "digest": str(digest_bytes("sha256", cbor)),
        "size": len(cbor),
    }
    assert [item["annotations"] for item in said["layers"]] == [
        {TITLE: "a.txt"},
        {TITLE: "b/a.txt"},
        {TITLE: "b/ü.txt"},
    ]
    assert made == json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    assert parse(made, OCI_MANIFEST).role == "package"


def test_a_subject_is_part_of_the_face() -> None:
    """A native package that points at another has an OCI subject, so referrers list it."""
    subject = Relation("subject", "sha256:" + "a" * 64, OCI_MANIFEST, 7)
    made = parse(face(dataclasses.replace(KIT, provenance=Provenance("native", (subject,)))))
    assert made.subject is not None
    assert (made.subject.digest, made.subject.size) == (subject.digest, 7)


def test_only_a_sound_native_package_gets_a_face() -> None:
    """What was pushed over OCI has its manifest already, and files out of order never get one."""
    with pytest.raises(ManifestInvalid):
        face(derive("acme/x", pushed(layers=[]), PUSHED, 12, {}))
    with pytest.raises(ManifestInvalid):
        face(dataclasses.replace(KIT, files=KIT.files[::-1]))


STORE = held(b"one", b"two", b"three")


def test_a_copied_native_package_stays_itself() -> None:
    """The face pushed elsewhere is adopted: the very native manifest, not one derived from its layers."""
    assert adopt(KIT.to_cbor(), parse(face(KIT)), STORE) == KIT


def test_a_copy_may_name_its_layers_by_another_algorithm() -> None:
    """Layers agree by their content, whichever digest the pushed manifest uses."""
    said = json.loads(face(KIT))
    for item, data in zip(said["layers"], (b"two", b"two", b"one"), strict=True):
        item["digest"] = str(digest_bytes("sha512", data))
    assert adopt(KIT.to_cbor(), parse(json.dumps(said).encode()), STORE) == KIT


def changed(**change: Any) -> OciManifest:
    """The face of KIT with its first layer changed, or with whole fields replaced."""
    said = json.loads(face(KIT))
    for name, value in change.items():
        if name in ("layers", "subject"):
            said[name] = value
        else:
            said["layers"][0][name] = value
    return parse(json.dumps(said).encode())


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        (changed(annotations={TITLE: "other.txt"}), "/layers/0/annotations"),
        (changed(annotations={}), "/layers/0/annotations"),
        (changed(mediaType="text/html"), "/layers/0/mediaType"),
        (changed(size=4), "/layers/0/size"),
        (changed(digest=str(digest_bytes("sha256", b"one"))), "/layers/0/digest"),
        (changed(layers=[]), "/layers"),
        (changed(layers=json.loads(face(KIT))["layers"][::-1]), "/layers/0/annotations"),
        (changed(subject=layer(b"s")), "/subject"),
    ],
)
def test_a_config_that_disagrees_is_refused(manifest: OciManifest, path: str) -> None:
    """Another title, type, size, content, order, number of layers or subject is MANIFEST_INVALID, with its path."""
    with pytest.raises(ManifestInvalid) as caught:
        adopt(KIT.to_cbor(), manifest, STORE)
    assert caught.value.detail["path"] == path


def test_a_config_that_lies_about_an_address_is_refused() -> None:
    """A native manifest may not claim that bytes have a blake3 digest which is that of others."""
    lie = known(b"three").address
    honest = known(b"two").address
    forged = json.loads(json.dumps(KIT.to_value()).replace(honest, lie))
    forged["storage_receipts"].sort(key=lambda item: item["content_address"])
    with pytest.raises(ManifestInvalid) as caught:
        adopt(NativeManifest.from_value(forged).to_cbor(), parse(face(KIT)), STORE)
    assert caught.value.detail["path"] == "/layers/0/digest"


def test_a_layer_that_is_not_here_proves_nothing() -> None:
    """Without its layers a native manifest cannot be checked, so its push is MANIFEST_BLOB_UNKNOWN."""
    with pytest.raises(ManifestBlobUnknown):
        adopt(KIT.to_cbor(), parse(face(KIT)), held(b"two"))


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"{}",
        KIT.to_cbor() + b"\x00",
        derive("acme/x", pushed(layers=[]), PUSHED, 12, {}).to_cbor(),
    ],
)
def test_a_config_that_is_no_native_package_is_refused(config: bytes) -> None:
    """Bytes that are not canonical, and native manifests that were derived from OCI, are never adopted."""
    with pytest.raises(ManifestInvalid) as caught:
        adopt(config, parse(face(KIT)), STORE)
    assert caught.value.detail["path"] == "/config"
