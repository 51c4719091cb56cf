"""Every error this library raises, as one tree; each leaf has a stable code.

    ArtifactStoreError
    ├── InputError                     the caller's fault: the request can never succeed as it is
    │   ├── NameInvalid                NAME_INVALID           repository or tag name breaks the grammar
    │   ├── DigestInvalid              DIGEST_INVALID         malformed, unsupported, or not the digest of the bytes
    │   ├── SizeInvalid                SIZE_INVALID           length differs from what was announced
    │   ├── SizeExceeded               SIZE_EXCEEDED          larger than a configured limit
    │   ├── ManifestInvalid            MANIFEST_INVALID       not a manifest that can be stored
    │   ├── ManifestBlobUnknown        MANIFEST_BLOB_UNKNOWN  names content the repository does not hold
    │   ├── UploadInvalid              BLOB_UPLOAD_INVALID    the upload cannot go on like this
    │   ├── RangeInvalid               RANGE_INVALID          no byte of the asked range exists
    │   ├── ChunkOutOfOrder            CHUNK_OUT_OF_ORDER     the chunk does not begin where the upload stands
    │   ├── ParameterInvalid           PARAMETER_INVALID      a query parameter or header value makes no sense
    │   ├── NotAcceptable              NOT_ACCEPTABLE         no representation on offer is one that was asked for
    │   ├── Unsupported                UNSUPPORTED            switched off, or not offered in this version
    │   │   └── ReadOnly               READ_ONLY              nothing can be changed, by a setting
    │   └── Denied                     DENIED                 the caller may not do this
    ├── NotFound
    │   ├── RepositoryUnknown          NAME_UNKNOWN
    │   ├── BlobUnknown                BLOB_UNKNOWN
    │   ├── ManifestUnknown            MANIFEST_UNKNOWN
    │   ├── UploadUnknown              BLOB_UPLOAD_UNKNOWN
    │   ├── FileUnknown                FILE_UNKNOWN           the package has no file at that path
    │   └── ResourceUnknown            NOT_FOUND              no such route
    ├── Conflict
    │   ├── LogRewound                 LOG_REWOUND            the cursor lies beyond the head or in another log
    │   ├── DirectoryOccupied          DIRECTORY_OCCUPIED     something else lies where a copy should go
    │   ├── UploadBusy                 UPLOAD_BUSY            another request is writing to this upload
    │   └── TooManyRequests            TOOMANYREQUESTS        a limit on concurrent work is reached
    └── Failure                        the store's fault: the same request may succeed later
        ├── BackendUnavailable         UNAVAILABLE            database or storage does not answer
        ├── IngestExpired              INGEST_EXPIRED         the bytes were ingested too long ago to be named by a fact
        ├── FactsChanged               FACTS_CHANGED          what the request was derived from is no longer so
        ├── ObjectMissing              OBJECT_MISSING         a fact names bytes that the backend does not hold
        ├── ObjectCorrupt              OBJECT_CORRUPT         stored bytes differ from their digest
        ├── LogCorrupt                 LOG_CORRUPT            the database is damaged: an event, the views, or the file
        ├── SchemaUnsupported          SCHEMA_UNSUPPORTED     the database was made by a newer, or needs a migration
        └── ConfigInvalid              CONFIG_INVALID         a setting makes no sense, or is unsafe

`api.http.errors` maps each code to a status, `cli.errors` to an exit code; a test proves that both are complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ArtifactStoreError(Exception):
    """Root of the tree. `code` is stable; `message` is for people; `detail` is JSON for programs."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail: dict[str, Any] = dict(detail or {})


class InputError(ArtifactStoreError):
    """The request can never succeed as it is."""


class NameInvalid(InputError):
    """A repository or tag name breaks the grammar (distribution-spec, "Pulling manifests")."""

    code = "NAME_INVALID"


class DigestInvalid(InputError):
    """A digest is malformed, of an unsupported algorithm, or not that of the bytes sent."""

    code = "DIGEST_INVALID"


class SizeInvalid(InputError):
    """The bytes that came are fewer or more than was announced."""

    code = "SIZE_INVALID"


class SizeExceeded(InputError):
    """A configured limit on size is passed."""

    code = "SIZE_EXCEEDED"


class ManifestInvalid(InputError):
    """The bytes are not a manifest that can be stored."""

    code = "MANIFEST_INVALID"


class ManifestBlobUnknown(InputError):
    """A manifest names content that its repository does not hold."""

    code = "MANIFEST_BLOB_UNKNOWN"


class UploadInvalid(InputError):
    """An upload cannot go on with what the request says."""

    code = "BLOB_UPLOAD_INVALID"


class RangeInvalid(InputError):
    """No byte of the asked range exists. `size` is the length of the whole, in bytes."""

    code = "RANGE_INVALID"

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message, detail={"size": size})
        self.size = size


class ChunkOutOfOrder(InputError):
    """A chunk does not begin where the upload stands. `offset` is the upload's length so far, in bytes."""

    code = "CHUNK_OUT_OF_ORDER"

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message, detail={"offset": offset})
        self.offset = offset


class ParameterInvalid(InputError):
    """A query parameter or header value makes no sense."""

    code = "PARAMETER_INVALID"


class NotAcceptable(InputError):
    """None of the representations on offer is one that the caller accepts."""

    code = "NOT_ACCEPTABLE"


class Unsupported(InputError):
    """Switched off by a setting, or not offered in this version."""

    code = "UNSUPPORTED"


class ReadOnly(Unsupported):
    """The store was opened to be read only: no change is taken, whoever asks for it."""

    code = "READ_ONLY"

    def __init__(self, message: str = "the store is read-only", *, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, detail=detail)


class Denied(InputError):
    """The principal may not do this."""

    code = "DENIED"


class NotFound(ArtifactStoreError):
    """What the request names does not exist, or not for this caller."""


class RepositoryUnknown(NotFound):
    """No such repository."""

    code = "NAME_UNKNOWN"


class BlobUnknown(NotFound):
    """The repository holds no such blob."""

    code = "BLOB_UNKNOWN"


class ManifestUnknown(NotFound):
    """The repository holds no such manifest, package or tag."""

    code = "MANIFEST_UNKNOWN"


class UploadUnknown(NotFound):
    """No such upload in this repository: never opened, finished, cancelled or expired."""

    code = "BLOB_UPLOAD_UNKNOWN"


class FileUnknown(NotFound):
    """The package has no file at that path, or its bytes were never pushed."""

    code = "FILE_UNKNOWN"


class ResourceUnknown(NotFound):
    """No route of this server has that address."""

    code = "NOT_FOUND"


class Conflict(ArtifactStoreError):
    """The request is sound but does not fit the present state."""


class LogRewound(Conflict):
    """The cursor lies beyond the head, or belongs to another log: someone restored a backup."""

    code = "LOG_REWOUND"


class DirectoryOccupied(Conflict):
    """A copy of a store should go where something else lies: another store, the store itself, or foreign files."""

    code = "DIRECTORY_OCCUPIED"


class UploadBusy(Conflict):
    """Another request is writing to this upload; `detail["offset"]`, where known, is its length so far, in bytes."""

    code = "UPLOAD_BUSY"


class TooManyRequests(Conflict):
    """A limit on concurrent or open work is reached; try again later."""

    code = "TOOMANYREQUESTS"


class Failure(ArtifactStoreError):
    """The store's fault; the same request may succeed later."""


class BackendUnavailable(Failure):
    """The database or the storage backend does not answer, or answered with an error of its own."""

    code = "UNAVAILABLE"


class IngestExpired(Failure):
    """The bytes were ingested too long ago to be named by a fact; they must be staged again."""

    code = "INGEST_EXPIRED"


class FactsChanged(Failure):
    """What a request was derived from before the fence is no longer so under it; derive again."""

    code = "FACTS_CHANGED"


class ObjectMissing(Failure):
    """A fact names bytes that the backend does not hold."""

    code = "OBJECT_MISSING"


class ObjectCorrupt(Failure):
    """Stored bytes differ from their digest."""

    code = "OBJECT_CORRUPT"


class LogCorrupt(Failure):
    """An event does not decode, the sequence has a gap, the views differ from the log, or the file is damaged."""

    code = "LOG_CORRUPT"


class SchemaUnsupported(Failure):
    """The database's schema is newer than this program, or older and not yet migrated."""

    code = "SCHEMA_UNSUPPORTED"


class ConfigInvalid(Failure):
    """A setting makes no sense, or is unsafe as it stands."""

    code = "CONFIG_INVALID"
