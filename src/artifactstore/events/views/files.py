"""`artifact_files`: the files of every live package, by position; paths and titles may repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, Integer, Table, bindparam, select

from artifactstore.events.database import Query, Session, Statement
from artifactstore.events.model import Event, Fact, ManifestDeleted, PackageFinalized, RepositoryDeleted
from artifactstore.events.schema import BIG, METADATA, TEXT
from artifactstore.events.views.packages import STORED_AT
from artifactstore.events.views.view import Derived, emptied, json_text
from artifactstore.identity.digest import PRIMARY

ARTIFACT_FILES = Table(
    "artifact_files",
    METADATA,
    Column("repository", TEXT, primary_key=True),
    Column("package_address", TEXT, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("path", TEXT, nullable=True),
    Column("media_type", TEXT, nullable=False),
    Column("size", BIG, nullable=False),
    Column("digest_algorithm", TEXT, nullable=False),
    Column("digest_primary", TEXT, nullable=False),
    Column("digest_sha256", TEXT, nullable=True),
    Column("content_address", TEXT, nullable=True),
    Column("metadata", TEXT, nullable=True),
    Index("artifact_files_by_path", "repository", "package_address", "path", "position"),
)
"""`digest_primary` is the content address where the bytes are known, else the one digest that the manifest names;
`digest_algorithm` is its algorithm. `metadata` is JSON."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a package; size in bytes, `content_address` None when its bytes were not there at finalization."""

    position: int
    path: str | None
    media_type: str
    size: int
    digest_primary: str
    digest_sha256: str | None
    content_address: str | None
    metadata: str | None


_COLUMNS = ARTIFACT_FILES.c
_FILE = select(
    _COLUMNS.position,
    _COLUMNS.path,
    _COLUMNS.media_type,
    _COLUMNS.size,
    _COLUMNS.digest_primary,
    _COLUMNS.digest_sha256,
    _COLUMNS.content_address,
    _COLUMNS.metadata,
).where(_COLUMNS.repository == bindparam("repository"), _COLUMNS.package_address == bindparam("address"))

PAGE = Query(
    _FILE.where(_COLUMNS.position >= bindparam("position")).order_by(_COLUMNS.position).limit(bindparam("limit")),
    FileRow,
)
"""A package's files from a position on."""

BY_PATH = Query(
    _FILE.where(_COLUMNS.path == bindparam("path")).order_by(_COLUMNS.position).limit(1),
    FileRow,
)
"""The first file of a path."""

BY_DIGEST = Query(
    _FILE.where((_COLUMNS.digest_primary == bindparam("digest")) | (_COLUMNS.digest_sha256 == bindparam("digest")))
    .order_by(_COLUMNS.position)
    .limit(1),
    FileRow,
)
"""The first file of these bytes: how a file without a path is named."""

_INSERT = Statement(ARTIFACT_FILES.insert())
_DELETE = Statement(
    ARTIFACT_FILES.delete().where(
        _COLUMNS.repository == bindparam("in_repository"), _COLUMNS.package_address == bindparam("address")
    )
)
_EMPTY = emptied(ARTIFACT_FILES)


class Files(Derived):
    """The files come with the native manifest and go with the package."""

    tables = (ARTIFACT_FILES,)

    def apply(self, event: Event, fact: Fact, session: Session) -> None:
        match fact:
            case PackageFinalized():
                package = session.one(STORED_AT, repository=fact.repository, sequence=event.sequence - 1)
                session.run_many(_INSERT, _rows(fact.repository, package, fact.value["files"]))
            case ManifestDeleted():
                session.run(_DELETE, in_repository=fact.repository, address=str(fact.address))
            case RepositoryDeleted():
                session.run(_EMPTY, repository=fact.repository)
            case _:
                pass


def _rows(repository: str, package: str | None, files: list[Mapping[str, Any]]) -> Iterator[dict[str, object]]:
    for file in files:
        digests = file["digests"]
        address = digests.get(PRIMARY)
        named = address if address is not None else next(iter(digests.values()))
        metadata = file.get("metadata")
        yield {
            "repository": repository,
            "package_address": package,
            "position": file["position"],
            "path": file.get("path"),
            "media_type": file["media_type"],
            "size": file["size"],
            "digest_algorithm": named.partition(":")[0],
            "digest_primary": named,
            "digest_sha256": digests.get("sha256"),
            "content_address": address,
            "metadata": None if not metadata else json_text(metadata),
        }
