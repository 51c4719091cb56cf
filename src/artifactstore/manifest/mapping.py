"""How OCI and native manifests map to each other: derive one, make a face of one, adopt one.

`docs/formats/oci-mapping.md` has the same as tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from artifactstore.errors import ManifestBlobUnknown, ManifestInvalid
from artifactstore.identity.digest import ALWAYS, digest_bytes
from artifactstore.manifest.media_types import (
    NATIVE_JSON_MEDIA_TYPE,
    NATIVE_MEDIA_TYPE,
    OCI_MANIFEST,
    PACKAGE_ARTIFACT_TYPE,
)
from artifactstore.manifest.model import (
    File,
    NativeManifest,
    OciConfig,
    OciSource,
    Package,
    Provenance,
    Relation,
    StorageReceipt,
    is_rfc3339,
)
from artifactstore.manifest.oci import Descriptor, OciManifest
from artifactstore.manifest.problems import invalid

__all__ = [
    "NATIVE_JSON_MEDIA_TYPE",
    "NATIVE_MEDIA_TYPE",
    "PACKAGE_ARTIFACT_TYPE",
    "Known",
    "adopt",
    "derive",
    "face",
]

TITLE = "org.opencontainers.image.title"
"""The annotation of a layer that makes it a file (image-spec, "annotations.md"; ORAS)."""
CREATED = "org.opencontainers.image.created"
RETENTION_CLASS = "artifactstore.retention.class"
"""The annotation of a manifest that asks for a retention class."""


@dataclass(frozen=True, slots=True)
class Known:
    """Content that the repository holds: address, size in bytes, and its digests, blake3 and sha256 among them."""

    address: str
    size: int
    digests: Mapping[str, str]


def derive(
    repository: str, manifest: OciManifest, digests: Mapping[str, str], size: int, known: Mapping[str, Known]
) -> NativeManifest:
    """The native manifest of a pushed OCI manifest, whose own bytes have `digests` and `size`.

    `known` maps each digest, as the manifest writes it, to what the repository holds under it; what it lacks keeps the
    one digest it was named by. Raises ManifestInvalid when a descriptor's size is not that of the known content.
    """
    _check_sizes(manifest, known)
    annotations = manifest.annotations
    created = annotations.get(CREATED, "")
    config = manifest.config
    config_part = OciConfig(config.media_type, config.size, _digests(config, known)) if config else None
    source = OciSource(manifest.media_type, _always(digests), size, manifest.artifact_type, config_part)
    held = ((config,) if config else ()) + manifest.layers
    return NativeManifest(
        Package(repository, manifest.kind, annotations, created if is_rfc3339(created) else None),
        tuple([_file(position, layer, known) for position, layer in enumerate(manifest.layers)]),
        _receipts(known[item.digest] for item in held if item.digest in known),
        Provenance("oci", _relations(manifest), source),
        annotations.get(RETENTION_CLASS) or None,
    )


def face(native: NativeManifest) -> bytes:
    """The OCI 1.1 manifest of a natively ingested package: the same bytes for the same package, everywhere.

    Its config is the native manifest itself, its layers are the files, titled and sorted by path.
    Raises ManifestInvalid for a manifest that was derived from an OCI one, which has its own.
    """
    if native.provenance.origin != "native":
        raise invalid("/provenance/origin", "only a native package gets an OCI manifest made")
    native.check()
    cbor = native.to_cbor()
    config = _descriptor(NATIVE_MEDIA_TYPE, str(digest_bytes("sha256", cbor)), len(cbor))
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": PACKAGE_ARTIFACT_TYPE,
        "config": config,
        "layers": [_layer(file) for file in native.files],
    }
    for relation in native.provenance.relations:
        body["subject"] = _descriptor(relation.media_type, relation.digest, relation.size)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def adopt(config_bytes: bytes, manifest: OciManifest, known: Mapping[str, Known]) -> NativeManifest:
    """The native manifest that a pushed manifest brings along as its config, once proven to be of these very layers.

    `known` is as for `derive`. Raises ManifestInvalid for bytes that are no native manifest in canonical form and for
    one that disagrees with the pushed manifest or with the content held; ManifestBlobUnknown when a layer is not there,
    because then nothing proves what the config says of it.
    """
    try:
        native = NativeManifest.from_cbor(config_bytes)
    except ManifestInvalid as error:
        raise invalid("/config", f"not a native manifest: {error.message}") from error
    if native.provenance.origin != "native":
        raise invalid("/config", "a native manifest that was derived from another OCI manifest")
    if len(native.files) != len(manifest.layers):
        raise invalid("/layers", f"are {len(manifest.layers)}, and the config has {len(native.files)} files")
    for layer, file in zip(manifest.layers, native.files, strict=True):
        _check_layer(layer, file, known)
    subject = (_relation("subject", manifest.subject),) if manifest.subject else ()
    if [item.digest for item in subject] != [item.digest for item in native.provenance.relations]:
        raise invalid("/subject", "is not the one that the config names")
    return native


def _check_layer(layer: Descriptor, file: File, known: Mapping[str, Known]) -> None:
    path = f"/layers/{file.position}"
    held = known.get(layer.digest)
    if held is None:
        raise ManifestBlobUnknown(f"{layer.digest} is not in the repository", detail={"digests": [layer.digest]})
    if layer.annotations.get(TITLE) != file.path:
        raise invalid(f"{path}/annotations", f"do not title it {file.path}, as the config does")
    if layer.media_type != file.media_type:
        raise invalid(f"{path}/mediaType", f"is not {file.media_type}, as in the config")
    if not layer.size == file.size == held.size:
        raise invalid(f"{path}/size", f"is {layer.size} here, {file.size} in the config, {held.size} in the store")
    if _always(held.digests) != file.digests:
        raise invalid(f"{path}/digest", "is not that of the file in the config")


def _check_sizes(manifest: OciManifest, known: Mapping[str, Known]) -> None:
    """No client that checks sizes could pull what a wrong one describes. A subject may be missing: it never counts."""
    parts = {"layers": manifest.layers, "manifests": manifest.members}
    named = [(f"/{name}/{i}", item) for name, items in parts.items() for i, item in enumerate(items)]
    if manifest.config:
        named.insert(0, ("/config", manifest.config))
    for path, item in named:
        held = known.get(item.digest)
        if held and held.size != item.size:
            raise invalid(f"{path}/size", f"says {item.size}, and {item.digest} has {held.size} bytes")


def _file(position: int, layer: Descriptor, known: Mapping[str, Known]) -> File:
    path = layer.annotations.get(TITLE) or None
    metadata = {name: text for name, text in layer.annotations.items() if name != TITLE}
    return File(position, layer.media_type, layer.size, _digests(layer, known), path, metadata)


def _digests(descriptor: Descriptor, known: Mapping[str, Known]) -> dict[str, str]:
    """What the manifest may say of content: the digest it was named by, and for known content the two always known.

    Nothing else that the store happens to know belongs here, or the same push would differ between two stores.
    """
    held = known.get(descriptor.digest)
    algorithm = descriptor.digest.partition(":")[0]
    return {**(_always(held.digests) if held else {}), algorithm: descriptor.digest}


def _always(digests: Mapping[str, str]) -> dict[str, str]:
    return {algorithm: digests[algorithm] for algorithm in ALWAYS}


def _receipts(held: Iterable[Known]) -> tuple[StorageReceipt, ...]:
    by_address = {item.address: item for item in held}
    return tuple([StorageReceipt(key, item.size, _always(item.digests)) for key, item in sorted(by_address.items())])


def _relations(manifest: OciManifest) -> tuple[Relation, ...]:
    members = tuple([_relation("member", member) for member in manifest.members])
    return (_relation("subject", manifest.subject), *members) if manifest.subject else members


def _relation(name: Any, to: Descriptor) -> Relation:
    return Relation(name, to.digest, to.media_type, to.size, to.artifact_type, to.annotations)


def _layer(file: File) -> dict[str, Any]:
    return {**_descriptor(file.media_type, file.digests["sha256"], file.size), "annotations": {TITLE: file.path}}


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}
