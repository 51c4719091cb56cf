"""Blobs over HTTP: pull, push in one request, mount, delete."""

from __future__ import annotations

from artifactstore.api.http import multipart, oci_headers, ranges
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.answers import Answer, content, empty
from artifactstore.api.http.calls import Call
from artifactstore.api.http.oci_uploads import opened
from artifactstore.registry.core import Descriptor
from artifactstore.registry.registry import Registry

OCTETS = b"application/octet-stream"
"""Every blob's media type: what it really is only the manifests say, and no browser should try to find out."""


async def get_blob(registry: Registry, request: ask.BlobGet, call: Call) -> Answer:
    """end-2: the blob, or the parts of it that Range asks for; a HEAD has the same headers and ignores Range."""
    blob = await registry.resolve_blob(call.principal, request.repository, request.digest)
    tag = oci_headers.etag(blob.digest)
    known = (oci_headers.content_digest(blob.digest), (b"etag", tag.encode()), (b"accept-ranges", b"bytes"))
    if oci_headers.is_known_to(call, tag):
        return empty(304, known)
    if call.method == "HEAD":
        return Answer(200, (*known, (b"content-type", OCTETS), (b"content-length", b"%d" % blob.size)))
    spans = ranges.blob_spans(call.header(b"range"), call.header(b"if-range"), tag, blob.size)
    if not spans:
        return content(await registry.serve(blob), OCTETS, headers=known)
    if len(spans) > 1:
        return multipart.content(registry, blob, spans, OCTETS, known)
    (span,) = spans
    part = (b"content-range", span.content_range(blob.size))
    return content(await registry.serve(blob, *span), OCTETS, status=206, headers=(*known, part))


async def push_blob(registry: Registry, request: ask.BlobPush, call: Call) -> Answer:
    """end-4b: a whole blob in one POST."""
    blob = await registry.push_blob(
        call.principal, request.repository, call.body_stream(), request.digest, length=call.length
    )
    return created(blob)


async def mount_blob(registry: Registry, request: ask.BlobMount, call: Call) -> Answer:
    """end-11: 201 when the blob could be mounted, else, whatever the reason, 202 and an upload to bring it."""
    blob = await registry.mount_blob(call.principal, request.repository, request.digest, request.source)
    if blob is not None:
        return created(blob)
    return opened(await registry.open_upload(call.principal, request.repository))


async def delete_blob(registry: Registry, request: ask.BlobDelete, call: Call) -> Answer:
    """end-10."""
    await registry.delete_blob(call.principal, request.repository, request.digest)
    return empty(202)


def created(blob: Descriptor) -> Answer:
    """201: the repository holds this blob."""
    found = oci_headers.blob_location(blob.repository, blob.digest)
    return empty(201, (found, oci_headers.content_digest(blob.digest)))
