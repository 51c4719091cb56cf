"""Uploads over HTTP: a blob that comes in several requests (distribution-spec, "Pushing a blob in chunks")."""

from __future__ import annotations

from artifactstore.api.http import errors, oci_headers, ranges
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.answers import Answer, empty
from artifactstore.api.http.asgi import Headers
from artifactstore.api.http.calls import Call
from artifactstore.errors import ChunkOutOfOrder, SizeInvalid, UploadBusy
from artifactstore.registry.registry import Registry
from artifactstore.registry.uploads import UploadStatus

Upload = ask.UploadAppend | ask.UploadClose


async def start_upload(registry: Registry, request: ask.UploadStart, call: Call) -> Answer:
    """end-4a, end-4c."""
    return opened(await registry.open_upload(call.principal, request.repository, algorithm=request.algorithm))


async def get_upload(registry: Registry, request: ask.UploadGet, call: Call) -> Answer:
    """end-13; while another request writes to it, what it has so far."""
    try:
        status = await registry.upload_status(call.principal, request.repository, request.upload_id)
    except UploadBusy as busy:
        if "offset" not in busy.detail:
            raise
        status = UploadStatus(request.upload_id, request.repository, busy.detail["offset"])
    return empty(204, _standing(status))


async def append_upload(registry: Registry, request: ask.UploadAppend, call: Call) -> Answer:
    """end-5: a chunk with its Content-Range, or, without one, whatever the stream brings."""
    try:
        offset, length = await _place(registry, request, call)
        status = await registry.append_upload(
            call.principal,
            request.repository,
            request.upload_id,
            call.body_stream(),
            offset=offset,
            length=length,
        )
    except (ChunkOutOfOrder, UploadBusy) as refusal:
        return _refused(request, refusal)
    return empty(202, _standing(status))


async def close_upload(registry: Registry, request: ask.UploadClose, call: Call) -> Answer:
    """end-6: perhaps a last chunk, whose place is looked at before its digest, and the blob is there."""
    try:
        offset, length = await _place(registry, request, call)
        blob = await registry.close_upload(
            call.principal,
            request.repository,
            request.upload_id,
            call.body_stream(),
            request.digest,
            offset=offset,
            length=length,
        )
    except (ChunkOutOfOrder, UploadBusy) as refusal:
        return _refused(request, refusal)
    found = oci_headers.blob_location(blob.repository, blob.digest)
    return empty(201, (found, oci_headers.content_digest(blob.digest)))


async def cancel_upload(registry: Registry, request: ask.UploadCancel, call: Call) -> Answer:
    """end-14."""
    await registry.cancel_upload(call.principal, request.repository, request.upload_id)
    return empty(204)


def opened(status: UploadStatus) -> Answer:
    """202: bring the bytes here."""
    return empty(202, _standing(status))


async def _place(registry: Registry, request: Upload, call: Call) -> tuple[int | None, int | None]:
    """Where the chunk says that it begins, and how long it is. Raises SizeInvalid, ChunkOutOfOrder.

    A Content-Range that cannot be read belongs nowhere, so it is answered as one that belongs elsewhere.
    """
    text = call.header(b"content-range")
    if text is None:
        return None, call.length
    span = ranges.chunk_span(text)
    if span is None:
        status = await registry.upload_status(call.principal, request.repository, request.upload_id)
        raise ChunkOutOfOrder("Content-Range must be <first>-<last>", offset=status.offset)
    if call.length is not None and call.length != span.length:
        raise SizeInvalid(
            "Content-Range and Content-Length differ",
            detail={"content-range": text[:100], "content-length": call.length},
        )
    return span


def _standing(status: UploadStatus) -> Headers:
    """Where the upload is and how far."""
    return (
        oci_headers.upload_location(status.repository, status.upload_id),
        (b"range", ranges.upload_range(status.offset)),
        (b"docker-upload-uuid", status.upload_id.encode()),
    )


def _refused(request: Upload, refusal: ChunkOutOfOrder | UploadBusy) -> Answer:
    """416, with where the upload is and, where known, stands: nothing of the chunk was kept."""
    answer = errors.oci_error(refusal)
    if "offset" not in refusal.detail:
        return answer.adding(oci_headers.upload_location(request.repository, request.upload_id))
    status = UploadStatus(request.upload_id, request.repository, refusal.detail["offset"])
    return answer.adding(*_standing(status))
