"""Facts read in a SQL transaction, and changes of working state written in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from artifactstore.events import working
from artifactstore.events.database import Session
from artifactstore.events.facts import (
    BlobRow,
    Holdings,
    LocationRow,
    ManifestRow,
    TagRow,
    UploadOpened,
    UploadRow,
    WorkingChange,
)
from artifactstore.events.views import blobs, objects, packages, repositories, retention, tags


class SqlFacts:
    """The Facts of a session's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def address_of(self, digest: str) -> str | None:
        return self._session.one(objects.ADDRESS_OF, digest=digest)

    def digests_of(self, address: str) -> Sequence[str]:
        return self._session.all(objects.DIGESTS_OF, address=address)

    def location(self, address: str) -> LocationRow | None:
        return self._session.one(objects.LOCATION, address=address)

    def blob(self, repository: str, digest: str) -> BlobRow | None:
        return self._session.one(blobs.BY_DIGEST, repository=repository, digest=digest)

    def blob_at(self, repository: str, address: str) -> BlobRow | None:
        return self._session.one(blobs.BY_ADDRESS, repository=repository, address=address)

    def holder(self, address: str) -> str | None:
        return self._session.one(blobs.HOLDER, address=address)

    def manifest(self, repository: str, digest: str) -> ManifestRow | None:
        return self._session.one(packages.MANIFEST_BY_DIGEST, repository=repository, digest=digest)

    def manifest_at(self, repository: str, address: str) -> ManifestRow | None:
        return self._session.one(packages.MANIFEST_BY_ADDRESS, repository=repository, address=address)

    def tag(self, repository: str, tag: str) -> TagRow | None:
        return self._session.one(tags.BY_NAME, repository=repository, tag=tag)

    def has_retention_class(self, name: str) -> bool:
        return self._session.one(retention.CLASS, name=name) is not None

    def holdings(self, repository: str) -> Holdings | None:
        return self._session.one(repositories.HOLDINGS, name=repository)

    def upload(self, upload_id: str) -> UploadRow | None:
        return self._session.one(working.UPLOAD, upload_id=upload_id)

    def uploads_of(self, repository: str) -> Sequence[str]:
        return self._session.all(working.UPLOADS_OF, repository=repository)

    def open_uploads(self) -> int:
        return self._session.one(working.OPEN_UPLOADS) or 0


def change_working(session: Session, change: WorkingChange) -> None:
    """Write a change of working state."""
    if isinstance(change, UploadOpened):
        session.run(working.OPEN_UPLOAD, **asdict(change.row))
    else:
        session.run(working.FORGET_UPLOAD, id=change.upload_id)
