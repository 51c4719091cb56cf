"""Whether two stores say the same of a package: their native manifests, compared. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from artifactstore.errors import ManifestInvalid
from artifactstore.manifest.model import NativeManifest


def require_same_package(told: bytes, derived: bytes | None, where: str) -> None:
    """The native manifest that came with a package is the one derived here, as far as both can know.

    A package that was pushed over OCI takes the repository's name from where it lies, and which digests of its content
    are known depends on what was held when it was pushed: one that only one side has is no difference. Nothing to
    compare where none was derived. Raises ManifestInvalid naming the parts that differ.
    """
    if derived is None or told == derived:
        return
    try:
        theirs = NativeManifest.from_cbor(told)
    except ManifestInvalid as error:
        raise ManifestInvalid(f"{where}: its native manifest: {error.message}", detail=error.detail) from error
    ours = NativeManifest.from_cbor(derived)
    theirs = replace(theirs, package=replace(theirs.package, repository=ours.package.repository))
    known, expected = _shared(theirs, ours).to_value(), _shared(ours, theirs).to_value()
    differing = sorted(name for name in expected if known[name] != expected[name])
    if differing:
        raise ManifestInvalid(
            f"{where}: the native manifest that came with it is not the one of its content",
            detail={"differing": differing},
        )


def _shared(manifest: NativeManifest, other: NativeManifest) -> NativeManifest:
    """What it says, for the origin `oci` without the digests that `other` lacks, and the receipts that follow them."""
    oci, others = manifest.provenance.oci, other.provenance.oci
    if oci is None or others is None or len(manifest.files) != len(other.files):
        return manifest
    pairs = zip(manifest.files, other.files, strict=True)
    files = tuple(replace(file, digests=_in_both(file.digests, its.digests)) for file, its in pairs)
    if oci.config is not None and others.config is not None:
        oci = replace(oci, config=replace(oci.config, digests=_in_both(oci.config.digests, others.config.digests)))
    return replace(manifest, files=files, storage_receipts=(), provenance=replace(manifest.provenance, oci=oci))


def _in_both(digests: Mapping[str, str], others: Mapping[str, str]) -> Mapping[str, str]:
    """Content always has the digest that the producer named it by, so two that share none are not of the same."""
    return {name: digest for name, digest in digests.items() if name in others} or digests
