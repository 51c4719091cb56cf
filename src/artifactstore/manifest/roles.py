"""What a manifest is to another: a package of its own, or a signature, attestation or SBOM of something.

The forms are those of cosign (tags of version 2, `oci-1-1` referrers, bundles of version 3), notation, BuildKit,
in-toto and the SBOM formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from artifactstore.manifest.media_types import PACKAGE_ARTIFACT_TYPE, essence

Role = Literal["package", "signature", "attestation", "sbom"]

_ROLES: Mapping[str, Role] = {
    PACKAGE_ARTIFACT_TYPE: "package",
    "application/vnd.dev.cosign.simplesigning.v1+json": "signature",
    "application/vnd.dev.cosign.artifact.sig.v1+json": "signature",
    "application/vnd.cncf.notary.signature": "signature",
    "application/vnd.cncf.notary.v2.signature": "signature",
    "application/vnd.dev.cosign.artifact.att.v1+json": "attestation",
    "application/vnd.dsse.envelope.v1+json": "attestation",
    "application/vnd.in-toto+json": "attestation",
    "application/vnd.dev.cosign.artifact.sbom.v1+json": "sbom",
    "application/vnd.goharbor.harbor.sbom.v1": "sbom",
    "application/spdx+json": "sbom",
    "application/vnd.spdx+json": "sbom",
    "text/spdx": "sbom",
    "text/spdx+json": "sbom",
    "text/spdx+xml": "sbom",
    "application/vnd.cyclonedx": "sbom",
    "application/vnd.cyclonedx+json": "sbom",
    "application/vnd.cyclonedx+xml": "sbom",
    "application/vnd.syft+json": "sbom",
}

_BUNDLE = "application/vnd.dev.sigstore.bundle"
_BUNDLE_CONTENT = "dev.sigstore.bundle.content"
_BUNDLE_PREDICATE = "dev.sigstore.bundle.predicateType"
_COSIGN_SIGNATURE = "https://sigstore.dev/cosign/sign/v1"


def role_of(
    artifact_type: str | None,
    config_type: str | None,
    layer_types: Iterable[str],
    annotations: Mapping[str, str],
    *,
    has_subject: bool,
) -> Role:
    """Judge a manifest by its own types, then by its layers.

    Layers count only when all agree, and only for a manifest without an artifact type of its own or with a subject:
    a package that merely carries an SBOM stays a package.
    """
    for named in (artifact_type, config_type):
        role = _role_of_type(named, annotations) if named else None
        if role:
            return role
    if artifact_type and not has_subject:
        return "package"
    roles = {_role_of_type(layer_type, annotations) for layer_type in layer_types}
    return (roles.pop() if len(roles) == 1 else None) or "package"


def _role_of_type(named: str, annotations: Mapping[str, str]) -> Role | None:
    known = essence(named).lower()
    if not known.startswith(_BUNDLE):
        return _ROLES.get(known)
    signs = annotations.get(_BUNDLE_CONTENT) == "message-signature"
    return "signature" if signs or annotations.get(_BUNDLE_PREDICATE) == _COSIGN_SIGNATURE else "attestation"
