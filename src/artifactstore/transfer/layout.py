"""The OCI image layout (image-spec, "image-layout.md"): its paths, its index, and the annotations of our own in it.

Nothing here reads or writes a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from artifactstore.errors import InputError
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest import oci
from artifactstore.manifest.media_types import OCI_INDEX
from artifactstore.transfer.spi import Content

MARK = "oci-layout"
INDEX = "index.json"
MARK_BYTES = b'{"imageLayoutVersion":"1.0.0"}'

MARK_SIZE_MAX = 64 << 10
INDEX_SIZE_MAX = 64 << 20
MANIFEST_SIZE_MAX = 64 << 20
"""Beyond these sizes, in bytes, no such file is read, and none is written."""
FILES_MAX = 1_000_000
"""An archive of more files is neither read nor written."""

REF_NAME = "org.opencontainers.image.ref.name"
"""A tag, or, in a layout of several repositories, `REPO:TAG` (image-spec, "annotations.md")."""
CONTAINERD_NAME = "io.containerd.image.name"
"""`REPO:TAG` as containerd and BuildKit write it."""
REPOSITORY = "artifactstore.repository"
"""The repository that an entry was exported from."""
NATIVE = "artifactstore.native-manifest."
"""And then `REPO@DIGEST` of a manifest: an annotation of the index whose value is the digest of its native manifest."""

Natives = Mapping[tuple[RepositoryName | None, Digest], Digest]
"""Repository and digest of a manifest -> the digest of its native manifest; None where no repository is told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What `index.json` lists: a manifest, the tag it has, and the repository it is of, as far as they are told."""

    content: Content
    tag: TagName | None = None
    repository: RepositoryName | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The descriptor as it was read, so that what others wrote stays."""

    @property
    def order(self) -> tuple[str, str, str]:
        """What entries are sorted by."""
        return self.repository or "", self.tag or "", str(self.content.digest)


@dataclass(frozen=True, slots=True)
class LayoutIndex:
    """`index.json`: its entries, and the native manifest of each manifest that has one."""

    entries: tuple[Entry, ...] = ()
    natives: Natives = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def repositories(self) -> list[RepositoryName | None]:
        """Each repository once, in order; None for what tells of none."""
        return sorted({entry.repository for entry in self.entries}, key=lambda name: name or "")

    def to_bytes(self) -> bytes:
        """The same bytes for the same content."""
        one_repository = len({entry.repository for entry in self.entries}) == 1
        natives = {_native_name(*manifest): str(native) for manifest, native in self.natives.items()}
        annotations = {**self.annotations, **natives}
        value: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [_descriptor(entry, one_repository) for entry in sorted(self.entries, key=lambda e: e.order)],
        }
        if annotations:
            value["annotations"] = annotations
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, body: bytes) -> LayoutIndex:
        """Read an `index.json` of whatever program. Raises ManifestInvalid, DigestInvalid."""
        index = oci.parse(body, OCI_INDEX)
        found = {name.removeprefix(NATIVE): text for name, text in index.annotations.items() if name.startswith(NATIVE)}
        natives = {_native_of(name): Digest.parse(native) for name, native in found.items()}
        raw = json.loads(body).get("manifests") or ()
        return cls(tuple(map(_entry, index.members, raw)), natives, index.annotations)

    def joined(self, entries: Iterable[Entry], natives: Natives) -> LayoutIndex:
        """This index and more: a tag that is set again names the new manifest; what is listed already is not again."""
        added = {entry.order: entry for entry in entries}
        retagged = {(entry.repository, entry.tag) for entry in added.values() if entry.tag}
        kept = [entry for entry in self.entries if (entry.repository, entry.tag) not in retagged]
        merged = {entry.order: entry for entry in kept} | added
        return LayoutIndex(tuple(merged.values()), {**self.natives, **natives}, self.annotations)


def blob_path(digest: Digest) -> str:
    """Where content lies in a layout."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _native_name(repository: RepositoryName | None, digest: Digest) -> str:
    return f"{NATIVE}{repository}@{digest}" if repository else f"{NATIVE}{digest}"


def _native_of(name: str) -> tuple[RepositoryName | None, Digest]:
    """What an annotation is of, by what follows NATIVE in its name. Raises DigestInvalid."""
    repository, _, digest = name.rpartition("@")
    return _or_none(RepositoryName, repository), Digest.parse(digest)


def _descriptor(entry: Entry, one_repository: bool) -> dict[str, Any]:
    annotations = dict(entry.raw.get("annotations") or {})
    if entry.repository:
        annotations[REPOSITORY] = entry.repository
    if entry.tag:
        bare = one_repository or not entry.repository
        annotations[REF_NAME] = entry.tag if bare else f"{entry.repository}:{entry.tag}"
    content = entry.content
    value = {"mediaType": content.media_type, "digest": str(content.digest), "size": content.size}
    return {**entry.raw, **value, **({"annotations": annotations} if annotations else {})}


def _entry(item: oci.Descriptor, raw: Mapping[str, Any]) -> Entry:
    content = Content.of(item)
    full = item.annotations.get(CONTAINERD_NAME, "")
    name = item.annotations.get(REF_NAME) or full
    told = item.annotations.get(REPOSITORY) or _parted(name)[0] or _parted(full)[0]
    return Entry(content, _or_none(TagName, _parted(name)[1]), _or_none(RepositoryName, told), raw)


def _parted(name: str) -> tuple[str, str]:
    """`REPO:TAG` in two; a name without a colon after its last slash is a tag alone, or no tag at all."""
    repository, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return repository, tag
    return "", name


def _or_none(kind: Any, text: str) -> Any:
    try:
        return kind.parse(text)
    except InputError:
        return None
