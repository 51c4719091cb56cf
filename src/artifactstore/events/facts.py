"""What a decision may look at: rows of the views as plain values, and the look-ups that give them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LocationRow:
    """Where an object lies and its size in bytes."""

    content_address: str
    backend_id: str
    size: int


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob of a repository: its object's address and size in bytes."""

    content_address: str
    size: int


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What answers a manifest request: the object, the digest to answer with, its media type and size in bytes."""

    content_address: str
    digest: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag: the manifest's address, the digest it was pushed under, and when it last moved (µs since 1970 UTC)."""

    repository: str
    tag: str
    content_address: str
    digest: str
    moved_sequence: int
    moved_at: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a repository holds: how many packages, tags and blobs, and the bytes of its manifests and blobs."""

    packages: int
    tags: int
    blobs: int
    size: int


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An open upload; `created_at` in µs since 1970 UTC, `algorithm` what the client announced to close with."""

    upload_id: str
    repository: str
    actor: str
    algorithm: str | None
    created_at: int


@dataclass(frozen=True, slots=True)
class UploadOpened:
    """A change of working state: an upload is open from now on."""

    row: UploadRow


@dataclass(frozen=True, slots=True)
class UploadEnded:
    """A change of working state: an upload is finished, cancelled, refused or expired. No error when it is unknown."""

    upload_id: str


WorkingChange = UploadOpened | UploadEnded


class Facts(Protocol):
    """Look-ups in one consistent state, under the fence. Digests and addresses are text; None: there is none."""

    def address_of(self, digest: str) -> str | None:
        """The object that any known digest names, in whichever repository."""
        ...

    def digests_of(self, address: str) -> Sequence[str]:
        """Every known digest of an object."""
        ...

    def location(self, address: str) -> LocationRow | None:
        """Where an object lies; None: no fact names it."""
        ...

    def blob(self, repository: str, digest: str) -> BlobRow | None:
        """A repository's blob, by any known digest."""
        ...

    def blob_at(self, repository: str, address: str) -> BlobRow | None:
        """A repository's blob, by its address."""
        ...

    def holder(self, address: str) -> str | None:
        """Some repository that holds an object as a blob."""
        ...

    def manifest(self, repository: str, digest: str) -> ManifestRow | None:
        """A repository's live manifest, by any known digest."""
        ...

    def manifest_at(self, repository: str, address: str) -> ManifestRow | None:
        """A repository's live manifest, by its address."""
        ...

    def tag(self, repository: str, tag: str) -> TagRow | None:
        """What a tag names."""
        ...

    def has_retention_class(self, name: str) -> bool:
        """Whether there is such a class."""
        ...

    def holdings(self, repository: str) -> Holdings | None:
        """What a repository holds; None: there is no such repository."""
        ...

    def upload(self, upload_id: str) -> UploadRow | None:
        """An upload that was opened and not ended."""
        ...

    def uploads_of(self, repository: str) -> Sequence[str]:
        """The ids of a repository's open uploads."""
        ...

    def open_uploads(self) -> int:
        """How many uploads are open."""
        ...
