"""The native manifest, version 1: what a package is, as one canonical value.

It is a pure function of what the producer handed over. It holds no clock, no actor, no backend and nothing of the
store's past, so the same input gives the same bytes everywhere. Field table: `docs/formats/native-manifest.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from artifactstore.manifest.codec import decode, encode
from artifactstore.manifest.coherence import check_files, check_receipts, check_relations
from artifactstore.manifest.fields import Fields
from artifactstore.manifest.parts import File, OciConfig, OciSource, Relation, StorageReceipt, Value, present

__all__ = [
    "MANIFEST_VERSION",
    "File",
    "NativeManifest",
    "OciConfig",
    "OciSource",
    "Origin",
    "Package",
    "Provenance",
    "Relation",
    "StorageReceipt",
    "is_rfc3339",
]

MANIFEST_VERSION = 1

Origin = Literal["native", "oci"]

_RFC3339 = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Package:
    """What the producer says of the whole. `repository` is that of origin, `created` RFC 3339 as it was given."""

    repository: str
    kind: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    created: str | None = None
    schema: str | None = None

    def to_value(self) -> Value:
        """The map of key `package`."""
        return present(
            repository=self.repository,
            kind=self.kind,
            created=self.created,
            schema=self.schema,
            metadata=dict(self.metadata),
        )

    @classmethod
    def from_value(cls, value: Any, path: str) -> Package:
        """Read the map found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        package = cls(
            fields.text("repository"),
            fields.text("kind"),
            fields.map("metadata"),
            fields.optional_text("created"),
            fields.optional_text("schema"),
        )
        if package.created is not None and not is_rfc3339(package.created):
            raise fields.problem("created", "not a time of RFC 3339")
        fields.done()
        return package


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the package came from, and what it points at: the subject first, then members as they were listed."""

    origin: Origin
    relations: tuple[Relation, ...] = ()
    oci: OciSource | None = None

    def to_value(self) -> Value:
        """The map of key `provenance`."""
        return present(
            origin=self.origin,
            relations=[relation.to_value() for relation in self.relations],
            oci=self.oci.to_value() if self.oci else None,
        )

    @classmethod
    def from_value(cls, value: Any, path: str) -> Provenance:
        """Read the map found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        origin = fields.text("origin")
        if origin not in ("native", "oci"):
            raise fields.problem("origin", "neither native nor oci")
        if fields.has("oci") != (origin == "oci"):
            raise fields.problem("oci", "is there for the origin oci, and for no other")
        relations = fields.items("relations", Relation.from_value)
        oci = OciSource.from_value(fields.take("oci"), fields.at("oci")) if origin == "oci" else None
        fields.done()
        return cls(cast("Origin", origin), relations, oci)


@dataclass(frozen=True, slots=True)
class NativeManifest:
    """A whole native manifest. `retention_class` is the class that was asked for, if any."""

    package: Package
    files: tuple[File, ...]
    storage_receipts: tuple[StorageReceipt, ...]
    provenance: Provenance
    retention_class: str | None = None

    def to_value(self) -> Value:
        """The value that canonical CBOR encodes."""
        return {
            "manifest_version": MANIFEST_VERSION,
            "package": self.package.to_value(),
            "files": [file.to_value() for file in self.files],
            "storage_receipts": [receipt.to_value() for receipt in self.storage_receipts],
            "retention_summary": {} if self.retention_class is None else {"class": self.retention_class},
            "provenance": self.provenance.to_value(),
        }

    @classmethod
    def from_value(cls, value: Any) -> NativeManifest:
        """Read a decoded value. Raises ManifestInvalid, naming the path, for whatever the format does not allow."""
        fields = Fields(value, "")
        if fields.size("manifest_version") != MANIFEST_VERSION:
            raise fields.problem("manifest_version", f"is not {MANIFEST_VERSION}")
        summary = Fields(fields.take("retention_summary"), fields.at("retention_summary"))
        manifest = cls(
            Package.from_value(fields.take("package"), fields.at("package")),
            fields.items("files", File.from_value),
            fields.items("storage_receipts", StorageReceipt.from_value),
            Provenance.from_value(fields.take("provenance"), fields.at("provenance")),
            summary.optional_text("class"),
        )
        summary.done()
        fields.done()
        manifest.check()
        return manifest

    def check(self) -> None:
        """Raise ManifestInvalid when the parts do not fit each other. `from_value` has done so already."""
        provenance = self.provenance
        config = provenance.oci.config if provenance.oci else None
        check_files(self.files, is_native=provenance.origin == "native")
        check_receipts(self.files, config, self.storage_receipts)
        check_relations(provenance.relations, is_native=provenance.origin == "native")

    def to_cbor(self) -> bytes:
        """The manifest's bytes; their digest is the native manifest's own. Raises ManifestInvalid for bad metadata."""
        return encode(self.to_value())

    @classmethod
    def from_cbor(cls, data: bytes) -> NativeManifest:
        """Read a manifest's bytes. Raises ManifestInvalid for what is not canonical or not a native manifest."""
        return cls.from_value(decode(data))


def is_rfc3339(text: str) -> bool:
    """Whether `text` is a date and time of RFC 3339 5.6."""
    return _RFC3339.fullmatch(text) is not None
