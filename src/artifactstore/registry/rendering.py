"""What the Registry answers as JSON values: the shapes of the native API, and of the command line's `--json`.

Times are RFC 3339 in UTC with six decimals, sizes are bytes, digests are `<algorithm>:<hex>`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from artifactstore.events.codec import envelope_value, payload_value
from artifactstore.events.model import Event, RepositoryDeleted
from artifactstore.events.views.repositories import RepositoryRow
from artifactstore.events.views.retention import RetentionRow
from artifactstore.registry.deletions import Deletion
from artifactstore.registry.packages import Attachment, File, Package
from artifactstore.registry.repositories import Repository
from artifactstore.registry.upkeep import Health

Json = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(microseconds: int) -> str:
    """A log time as text that sorts as time does: `2025-11-21T03:29:00.000000Z`."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def repository(row: RepositoryRow) -> Json:
    """A repository."""
    return {
        "name": row.name,
        "tenant": row.tenant,
        "created_at": rfc3339(row.created_at),
        "created_sequence": row.created_sequence,
    }


def holdings(found: Repository) -> Json:
    """A repository and what it holds; `size` is the bytes of its manifests and blobs."""
    held = found.holdings
    counts = {"packages": held.packages, "tags": held.tags, "blobs": held.blobs, "size": held.size}
    return repository(found.row) | counts


def deleted(fact: RepositoryDeleted) -> Json:
    """A repository that was deleted, and what went with it."""
    return {"name": fact.repository, "packages": fact.packages, "tags": fact.tags, "blobs": fact.blobs}


def package(found: Package) -> Json:
    """A package; `digest` is the OCI digest it was pushed under, `manifest_digest` that of its native manifest."""
    row = found.row
    return {
        "repository": row.repository,
        "digest": row.digest,
        "digests": dict(found.digests),
        "content_address": row.content_address,
        "kind": row.kind,
        "artifact_type": row.artifact_type,
        "media_type": row.media_type,
        "role": row.role,
        "size": row.size,
        "tags": list(found.tags),
        "tags_truncated": found.tags_truncated,
        "manifest_digest": row.manifest_digest,
        "metadata": found.metadata,
        "origin": row.origin,
        "created": row.created,
        "pushed_at": rfc3339(row.stored_at),
        "pushed_by": row.actor,
        "sequence": row.stored_sequence,
        "file_count": row.file_count,
        "files_size": row.files_size,
        "retention": retention(found.retention),
    }


def retention(row: RetentionRow | None) -> Json | None:
    """A package's retention; `expires_at` None means never."""
    if row is None:
        return None
    return {
        "class": row.retention_class,
        "since": rfc3339(row.since),
        "expires_at": None if row.expires_at is None else rfc3339(row.expires_at),
        "state": row.state,
    }


def file(found: File) -> Json:
    """A file of a package; `path` is None for one that its producer gave no name."""
    row = found.row
    return {
        "position": row.position,
        "path": row.path,
        "media_type": row.media_type,
        "size": row.size,
        "digests": dict(found.digests),
        "content_address": None if found.address is None else str(found.address),
        "present": found.present,
        "metadata": json.loads(row.metadata) if row.metadata else {},
    }


def attachment(found: Attachment) -> Json:
    """What refers to a package; `via` says how: `subject`, `tag` or `fallback-tag`; `tag` which one."""
    row = found.row
    return {
        "digest": row.digest,
        "media_type": row.media_type,
        "artifact_type": row.artifact_type,
        "role": found.role,
        "via": found.via,
        "tag": found.tag,
        "annotations": json.loads(row.annotations),
        "size": row.size,
        "sequence": row.sequence,
    }


def deletion(found: Deletion) -> Json:
    """What the deletion of a package would take away: its tags (the first of `tag_count`) and its bytes; and what not.

    `members` stay; `size` counts what no other package of the repository names.
    """
    return {
        "repository": found.package.repository,
        "digest": found.package.digest,
        "tags": list(found.tags),
        "tag_count": found.tag_count,
        "members": list(found.members),
        "size": found.size,
    }


def event(recorded: Event, *, inline: bool) -> Json:
    """An event as its envelope says it; with its payload when `inline`. Raises LogCorrupt."""
    said = envelope_value(recorded)
    value = {
        "sequence": recorded.sequence,
        "type": recorded.type,
        "time": rfc3339(recorded.time),
        "time_us": recorded.time,
        "actor": recorded.actor,
        "tenant": recorded.tenant,
        "stream": recorded.stream,
        "payload_sha256": said["payload_sha256"],
        "payload_size": said["payload_size"],
        "leaf_hash": recorded.leaf_hash.hex(),
    }
    return value | {"payload": payload_value(recorded)} if inline else value


def health(found: Health) -> Json:
    """Whether the store can serve, and each part of that."""
    checks = {name: {"ok": sound, "message": words} for name, (sound, words) in found.checks.items()}
    status = "ready" if found.ready else "unavailable"
    return {"status": status, "read_only": found.read_only, "checks": checks}


def dumps(value: Json | Sequence[Json]) -> str:
    """JSON as programs read it: one line, text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
