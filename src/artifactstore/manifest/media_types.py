"""The media types whose meaning this package knows. Every other one is stored just the same."""

from __future__ import annotations

import re

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
"""The manifest of artifacts that image-spec 1.1 had before its release: `blobs`, no config, no `schemaVersion`."""
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

NATIVE_MEDIA_TYPE = "application/vnd.artifactstore.manifest.v1+cbor"
"""A native manifest, canonical CBOR."""
NATIVE_JSON_MEDIA_TYPE = "application/vnd.artifactstore.manifest.v1+json"
"""Its projection by RFC 8785."""
PACKAGE_ARTIFACT_TYPE = "application/vnd.artifactstore.package.v1"
"""The `artifactType` of the OCI manifest made for a package that was ingested natively."""

IMAGES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST, OCI_ARTIFACT})
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
REFUSED = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
"""Docker schema 1: its digest is not that of its bytes, so it cannot be kept under one."""

UNTELLING = frozenset({"", "application/json", "application/octet-stream", "application/x-www-form-urlencoded"})
"""Content types that tell nothing of a manifest; some clients send them for want of a better one."""

LENGTH_MAX = 255
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


def essence(content_type: str) -> str:
    """A Content-Type without its parameters (RFC 9110 8.3.1)."""
    return content_type.partition(";")[0].strip()


def is_media_type(text: str) -> bool:
    """Whether `text` is `type/subtype` as RFC 6838 4.2 has it; one that is can be sent as a header."""
    return _TYPE.fullmatch(text) is not None


def is_header_safe(text: str) -> bool:
    """Whether a type that only a descriptor names may be kept: any printable ASCII, since unknown types must be."""
    return len(text) <= LENGTH_MAX and _PRINTABLE.fullmatch(text) is not None


def is_nondistributable(media_type: str) -> bool:
    """Whether blobs of this type need not be pushed (image-spec, "Non-Distributable Layers"; Docker's foreign ones)."""
    return "nondistributable" in media_type or ".foreign." in media_type
