"""Lists that are themselves image indexes: referrers, and the history of a tag."""

from __future__ import annotations

import json
from typing import Any

from artifactstore.api.http import oci_headers
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.calls import Call
from artifactstore.api.http.oci_lists import page_size
from artifactstore.events.views.edges import ReferrerRow
from artifactstore.registry.manifests import LAST_SEQUENCE, TagChange
from artifactstore.registry.registry import Registry
from artifactstore.registry.rendering import rfc3339

INDEX = "application/vnd.oci.image.index.v1+json"
PAGE_BYTES_MAX = 3 << 20
"""A page ends with the descriptor that takes it past this; clients read manifests of 4 MiB."""

BATCH = 32
"""So many referrers are read at a time: each may carry annotations as large as a manifest."""

TIMESTAMP = "org.opencontainers.distribution.tag.timestamp"
EVENT = "org.opencontainers.distribution.tag.event"
LAST_TYPE_KNOWN = "application/octet-stream"
"""The media type of what a tag named and no repository holds any more."""

Json = dict[str, Any]


async def list_referrers(registry: Registry, request: ask.ReferrerList, call: Call) -> Answer:
    """end-12a, end-12b: always an index, an empty one also for what was never heard of.

    containerd asks for several types at once, and takes what it gets for all there is.
    """
    size = page_size(registry, request.size)
    rows, more = await _referrer_page(registry, request, call, size)
    headers: list[oci_headers.Header] = []
    if request.artifact_types:
        headers.append((b"oci-filters-applied", b"artifactType"))
    if more and rows:
        path = f"/v2/{request.repository}/referrers/{request.digest}"
        types = [("artifactType", kind) for kind in request.artifact_types]
        given = (*types, ("n", request.size), ("after", rows[-1].sequence))
        headers.append(oci_headers.next_link(path, given))
    return _index([_referrer(row) for row in rows], headers)


async def list_tag_history(registry: Registry, request: ask.TagHistory, call: Call) -> Answer:
    """`_oci/tag-history/<tag>`: what the tag named, newest first; empty for what never was."""
    size = page_size(registry, request.size)
    changes = await registry.tag_history(
        call.principal,
        request.repository,
        request.tag,
        before=LAST_SEQUENCE if request.after is None else request.after,
        earlier_than=request.before,
        since=request.since,
        digest=request.digest,
        limit=size + 1,
    )
    headers = []
    if 0 < size < len(changes):
        headers.append(_earlier(request, changes[size - 1], call.path))
    return _index([_change(change) for change in changes[:size]], headers)


async def _referrer_page(
    registry: Registry, request: ask.ReferrerList, call: Call, size: int
) -> tuple[list[ReferrerRow], bool]:
    """As many referrers as were asked for and fit, at least one; and whether there are more."""
    rows: list[ReferrerRow] = []
    after, room = request.after, PAGE_BYTES_MAX
    while True:
        batch = await registry.referrers(
            call.principal,
            request.repository,
            request.digest,
            kinds=request.artifact_types,
            after=after,
            limit=min(BATCH, size + 1 - len(rows)),
        )
        for row in batch:
            if len(rows) == size or room < 0:
                return rows, True
            rows.append(row)
            room -= len(row.annotations) + 512
        if len(batch) < BATCH:
            return rows, False
        after = batch[-1].sequence


def _referrer(row: ReferrerRow) -> Json:
    """The descriptor of a referrer: an image's artifact type is that of its config, if it names none itself."""
    kind = row.artifact_type if row.is_index else row.kind
    annotations = json.loads(row.annotations)
    descriptor: Json = {"mediaType": row.media_type, "digest": row.digest, "size": row.size}
    if kind:
        descriptor["artifactType"] = kind
    if annotations:
        descriptor["annotations"] = annotations
    return descriptor


def _change(change: TagChange) -> Json:
    media_type = change.manifest.media_type if change.manifest else LAST_TYPE_KNOWN
    return {
        "mediaType": media_type,
        "digest": change.digest,
        "size": change.size,
        "annotations": {TIMESTAMP: rfc3339(change.time), EVENT: change.event},
    }


def _earlier(request: ask.TagHistory, last: TagChange, path: str) -> oci_headers.Header:
    given = (
        ("n", request.size),
        ("before", None if request.before is None else rfc3339(request.before)),
        ("since", None if request.since is None else rfc3339(request.since)),
        ("digest", None if request.digest is None else str(request.digest)),
        ("after", last.sequence),
    )
    return oci_headers.next_link(path, given)


def _index(manifests: list[Json], headers: list[oci_headers.Header]) -> Answer:
    value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return json_answer(value, headers=headers, media_type=INDEX.encode())
