"""What can be asked of `/v2`: one frozen request for each row of the specification's endpoint table.

`oci_grammar.parse` makes them, so that their fields can only be valid.
"""

from __future__ import annotations

from dataclasses import dataclass

from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName, TagName

Reference = Digest | TagName


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most `size` entries (None: as many as fit) after `last`."""

    size: int | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class Ping:
    """end-1: is this a registry?"""


@dataclass(frozen=True, slots=True)
class BlobGet:
    """end-2: GET or HEAD a blob."""

    repository: RepositoryName
    digest: Digest


@dataclass(frozen=True, slots=True)
class BlobDelete:
    """end-10."""

    repository: RepositoryName
    digest: Digest


@dataclass(frozen=True, slots=True)
class UploadStart:
    """end-4a, end-4c: open an upload, perhaps saying which digest algorithm it will be closed with."""

    repository: RepositoryName
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class BlobPush:
    """end-4b: a whole blob in one POST; told by its `digest`, not by its body, which may be empty."""

    repository: RepositoryName
    digest: Digest


@dataclass(frozen=True, slots=True)
class BlobMount:
    """end-11: link a blob of `source`, or of any repository."""

    repository: RepositoryName
    digest: Digest
    source: RepositoryName | None


@dataclass(frozen=True, slots=True)
class UploadAppend:
    """end-5."""

    repository: RepositoryName
    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadClose:
    """end-6."""

    repository: RepositoryName
    upload_id: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class UploadGet:
    """end-13: how far is it?"""

    repository: RepositoryName
    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadCancel:
    """end-14."""

    repository: RepositoryName
    upload_id: str


@dataclass(frozen=True, slots=True)
class ManifestGet:
    """end-3: GET or HEAD a manifest."""

    repository: RepositoryName
    reference: Reference


@dataclass(frozen=True, slots=True)
class ManifestPut:
    """end-7a, end-7b: with more tags when the reference is a digest."""

    repository: RepositoryName
    reference: Reference
    tags: tuple[TagName, ...] = ()


@dataclass(frozen=True, slots=True)
class ManifestDelete:
    """end-9."""

    repository: RepositoryName
    reference: Reference


@dataclass(frozen=True, slots=True)
class TagList:
    """end-8a, end-8b."""

    repository: RepositoryName
    page: Page


@dataclass(frozen=True, slots=True)
class ReferrerList:
    """end-12a, end-12b: of any of the types (none: of all); `after` is the sequence of the last entry received."""

    repository: RepositoryName
    digest: Digest
    artifact_types: tuple[str, ...]
    after: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Discover:
    """`_oci/ext/discover`: what is offered beyond the specification."""

    repository: RepositoryName | None


@dataclass(frozen=True, slots=True)
class TagHistory:
    """`_oci/tag-history/<tag>` (distribution-spec #606); times in µs since 1970 UTC, `after` is a sequence."""

    repository: RepositoryName
    tag: TagName
    size: int | None
    before: int | None
    since: int | None
    digest: Digest | None
    after: int | None


@dataclass(frozen=True, slots=True)
class RepositoryList:
    """`_oci/repositories` (distribution-spec #611): those at and under `prefix`, by whole segments."""

    prefix: RepositoryName | None
    page: Page


@dataclass(frozen=True, slots=True)
class Catalog:
    """`_catalog`: never specified, still asked for by crane and oras."""

    page: Page


OciRequest = (
    Ping
    | BlobGet
    | BlobDelete
    | BlobPush
    | BlobMount
    | UploadStart
    | UploadAppend
    | UploadClose
    | UploadGet
    | UploadCancel
    | ManifestGet
    | ManifestPut
    | ManifestDelete
    | TagList
    | ReferrerList
    | Discover
    | TagHistory
    | RepositoryList
    | Catalog
)
