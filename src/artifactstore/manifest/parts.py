"""The parts of a native manifest: files, the objects that hold them, and what lies outside the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from artifactstore.identity.digest import ALWAYS, PRIMARY
from artifactstore.manifest.fields import Fields

RelationName = Literal["subject", "member"]
Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """One file, at its place in the package.

    Known content has the digests blake3, sha256 and the one that the producer named it by; content that was not known
    has only the last.
    """

    position: int
    media_type: str
    size: int
    digests: Mapping[str, str]
    path: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content_address(self) -> str | None:
        """The address of known content, else None."""
        return address_of(self.digests)

    def to_value(self) -> Value:
        """One item of the list `files`."""
        return present(
            position=self.position,
            path=self.path,
            media_type=self.media_type,
            size=self.size,
            digests=dict(self.digests),
            metadata=dict(self.metadata) or None,
        )

    @classmethod
    def from_value(cls, value: Any, path: str) -> File:
        """Read one item of `files`, found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        file = cls(
            fields.size("position"),
            fields.text("media_type"),
            fields.size("size"),
            fields.digests("digests"),
            fields.optional_text("path"),
            fields.optional_map("metadata"),
        )
        fields.done()
        return file


@dataclass(frozen=True, slots=True)
class StorageReceipt:
    """A distinct object of the package, as the store took it in: address, size in bytes, blake3 and sha256."""

    content_address: str
    size: int
    digests: Mapping[str, str]

    def to_value(self) -> Value:
        """One item of the list `storage_receipts`."""
        return {"content_address": self.content_address, "size": self.size, "digests": dict(self.digests)}

    @classmethod
    def from_value(cls, value: Any, path: str) -> StorageReceipt:
        """Read one item of `storage_receipts`, found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        receipt = cls(fields.digest("content_address"), fields.size("size"), fields.digests("digests"))
        if receipt.digests.keys() != set(ALWAYS):
            raise fields.problem("digests", f"holds {' and '.join(ALWAYS)}, no more and no less")
        if receipt.content_address != receipt.digests[PRIMARY]:
            raise fields.problem("content_address", f"is not the {PRIMARY} digest")
        fields.done()
        return receipt


@dataclass(frozen=True, slots=True)
class Relation:
    """Another package that this one points at, named by the producer's digest of its OCI manifest."""

    relation: RelationName
    digest: str
    media_type: str
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_value(self) -> Value:
        """One item of the list `relations`."""
        return present(
            relation=self.relation,
            digest=self.digest,
            media_type=self.media_type,
            size=self.size,
            artifact_type=self.artifact_type,
            annotations=dict(self.annotations) or None,
        )

    @classmethod
    def from_value(cls, value: Any, path: str) -> Relation:
        """Read one item of `relations`, found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        name = fields.text("relation")
        if name not in ("subject", "member"):
            raise fields.problem("relation", "neither subject nor member")
        relation = cls(
            cast("RelationName", name),
            fields.digest("digest"),
            fields.text("media_type"),
            fields.size("size"),
            fields.optional_text("artifact_type"),
            fields.optional_texts("annotations"),
        )
        fields.done()
        return relation


@dataclass(frozen=True, slots=True)
class OciConfig:
    """The config blob of an OCI manifest. Its digests follow the rule of a file's."""

    media_type: str
    size: int
    digests: Mapping[str, str]

    def to_value(self) -> Value:
        """The map of key `config`."""
        return {"media_type": self.media_type, "size": self.size, "digests": dict(self.digests)}

    @classmethod
    def from_value(cls, value: Any, path: str) -> OciConfig:
        """Read the map found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        config = cls(fields.text("media_type"), fields.size("size"), fields.digests("digests"))
        fields.done()
        return config


@dataclass(frozen=True, slots=True)
class OciSource:
    """The OCI manifest that a client pushed: the blake3 and sha256 digests of its bytes, and their number."""

    media_type: str
    digests: Mapping[str, str]
    size: int
    artifact_type: str | None = None
    config: OciConfig | None = None

    def to_value(self) -> Value:
        """The map of key `oci`."""
        return present(
            media_type=self.media_type,
            artifact_type=self.artifact_type,
            digests=dict(self.digests),
            size=self.size,
            config=self.config.to_value() if self.config else None,
        )

    @classmethod
    def from_value(cls, value: Any, path: str) -> OciSource:
        """Read the map found at `path`. Raises ManifestInvalid."""
        fields = Fields(value, path)
        config = OciConfig.from_value(fields.take("config"), fields.at("config")) if fields.has("config") else None
        source = cls(
            fields.text("media_type"),
            fields.digests("digests"),
            fields.size("size"),
            fields.optional_text("artifact_type"),
            config,
        )
        if source.digests.keys() != set(ALWAYS):
            raise fields.problem("digests", f"holds {' and '.join(ALWAYS)}, no more and no less")
        fields.done()
        return source


def address_of(digests: Mapping[str, str]) -> str | None:
    """The content address among the digests of known content; None for content known by one name only."""
    return digests[PRIMARY] if len(digests) > 1 else None


def present(**values: Any) -> Value:
    """A map without the keys that are None."""
    return {key: value for key, value in values.items() if value is not None}
