"""From a parsed manifest to its two facts, before the fence: what it names here, its native side, the drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from artifactstore.dataplane.spi import DataPlane, StoredObject
from artifactstore.errors import ManifestBlobUnknown, ManifestInvalid
from artifactstore.events import codec
from artifactstore.events.database import Reader
from artifactstore.events.facts import BlobRow, ManifestRow
from artifactstore.events.model import Draft, EdgeFact, ManifestStored, PackageFinalized, Relation
from artifactstore.events.views import blobs, objects, packages
from artifactstore.identity.digest import PRIMARY, ContentAddress, Digest
from artifactstore.manifest import mapping, oci
from artifactstore.manifest.codec import encode
from artifactstore.manifest.model import NativeManifest
from artifactstore.registry.core import in_turns, object_fact, off_loop
from artifactstore.registry.decide import Child

NATIVE_SIZE_FACTOR = 4
"""A native manifest is at most so many times as large as the OCI manifest that it describes (in practice 2.5)."""

SMALL_BYTES = 1 << 20
"""Up to this size of the OCI manifest the factor is taken of this."""


@dataclass(frozen=True, slots=True)
class Found:
    """A child as this repository holds it: what decisions check, and what the native manifest says of it."""

    fact: Child
    known: mapping.Known | None


@dataclass(frozen=True, slots=True)
class Derived:
    """The two drafted facts of a push, and the retention class that was asked for."""

    drafts: tuple[Draft, Draft]
    retention_class: str | None


async def children_of(reader: Reader, repository: str, manifest: oci.OciManifest) -> list[Found]:
    """Each distinct content that the manifest names, subject apart, and what the repository holds of it now."""
    required = {item.digest for item in (*oci.required_blobs(manifest), *oci.required_manifests(manifest))}
    config = (manifest.config,) if manifest.config else ()
    is_manifest = {item.digest: False for item in (*config, *manifest.layers)}
    is_manifest.update({item.digest: True for item in manifest.members})
    return await in_turns(
        is_manifest, lambda digest: _find(reader, repository, digest, is_manifest[digest], digest in required)
    )


def refuse_missing(children: Sequence[Found], sparse: bool) -> None:
    """The early refusal of what the fence would refuse. Raises ManifestBlobUnknown."""
    missing = [child.fact.digest for child in children if child.fact.required and child.known is None]
    if missing and not sparse:
        raise ManifestBlobUnknown(
            "the repository does not hold what the manifest names", detail={"missing": missing[:100]}
        )


async def drafts(
    reader: Reader,
    plane: DataPlane,
    repository: str,
    manifest: oci.OciManifest,
    children: Sequence[Found],
    digest: Digest,
    stored: StoredObject,
) -> Derived:
    """The facts `v1.manifest.stored` and `v1.package.finalized` of a push. Raises ManifestInvalid."""
    config = await _native_config(plane, manifest, children, NATIVE_SIZE_FACTOR * max(stored.size, SMALL_BYTES))

    def work() -> Derived:
        native = _native(repository, manifest, children, stored, config)
        value = native.to_value()
        first = codec.draft(_manifest_stored(repository, manifest, digest, stored))
        second = codec.draft(PackageFinalized(repository, config or encode(value), value))
        return Derived((first, second), value["retention_summary"].get("class"))

    return await off_loop(stored.size, work)


def _native(
    repository: str,
    manifest: oci.OciManifest,
    children: Sequence[Found],
    stored: StoredObject,
    config: bytes | None,
) -> NativeManifest:
    known = {child.fact.digest: child.known for child in children if child.known is not None}
    if config is not None:
        return mapping.adopt(config, manifest, known)
    digests = {name: str(stored.digests[name]) for name in (PRIMARY, "sha256")}
    return mapping.derive(repository, manifest, digests, stored.size, known)


async def _find(reader: Reader, repository: str, digest: str, nested: bool, required: bool) -> Found:
    row: BlobRow | ManifestRow | None = None
    if nested:
        row = await reader.one(packages.MANIFEST_BY_DIGEST, repository=repository, digest=digest)
    if row is None:
        row = await reader.one(blobs.BY_DIGEST, repository=repository, digest=digest)
    if row is None:
        return Found(Child(digest, None, nested, required), None)
    digests = {PRIMARY: row.content_address, digest.partition(":")[0]: digest}
    if "sha256" not in digests:
        every = await reader.all(objects.DIGESTS_OF, address=row.content_address)
        digests.update((text.partition(":")[0], text) for text in every if text.startswith("sha256:"))
    known = mapping.Known(row.content_address, row.size, digests)
    return Found(Child(digest, row.content_address, nested, required), known)


async def _native_config(
    plane: DataPlane, manifest: oci.OciManifest, children: Sequence[Found], size_max: int
) -> bytes | None:
    """The config's bytes when it is a native manifest that is here: a copied native package stays itself."""
    if manifest.config is None or manifest.config.media_type != mapping.NATIVE_MEDIA_TYPE:
        return None
    wanted = manifest.config.digest
    known = next((child.known for child in children if child.fact.digest == wanted), None)
    if known is None:
        return None
    if known.size > size_max:
        raise ManifestInvalid(f"a native manifest may have {size_max} bytes here", detail={"path": "/config/size"})
    served = await plane.serve_object(ContentAddress.parse(known.address))
    return await served.read()


def _manifest_stored(
    repository: str, manifest: oci.OciManifest, digest: Digest, stored: StoredObject
) -> ManifestStored:
    edges = [_edge("config", manifest.config)] if manifest.config else []
    edges += [_edge("layer", layer) for layer in manifest.layers]
    edges += [_edge("member", member) for member in manifest.members]
    edges += [_edge("subject", manifest.subject)] if manifest.subject else []
    return ManifestStored(
        repository=repository,
        object=object_fact(stored),
        digest=digest,
        media_type=manifest.media_type,
        kind=manifest.kind,
        artifact_type=manifest.artifact_type,
        is_index=manifest.is_index,
        role=manifest.role,
        edges=tuple(edges),
        annotations=manifest.annotations,
    )


def _edge(relation: Relation, item: oci.Descriptor) -> EdgeFact:
    return EdgeFact(relation, item.media_type, item.digest, item.size, item.artifact_type, item.annotations)
