"""Errors to answers: one table of every code in the error tree, and two ways to write one down.

`/v2` answers the OCI error JSON, whose codes are a closed list (distribution-spec, "Error Codes"); everything else
answers problem details (RFC 9457).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.asgi import Headers
from artifactstore.errors import ArtifactStoreError, RangeInvalid

PROBLEM = b"application/problem+json"
RETRY_AFTER_SECONDS = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """The status of an error, and the word that the OCI list has for it."""

    status: int
    oci_code: str


TABLE: Mapping[str, Row] = {
    "NAME_INVALID": Row(400, "NAME_INVALID"),
    "DIGEST_INVALID": Row(400, "DIGEST_INVALID"),
    "SIZE_INVALID": Row(400, "SIZE_INVALID"),
    "SIZE_EXCEEDED": Row(413, "SIZE_INVALID"),
    "MANIFEST_INVALID": Row(400, "MANIFEST_INVALID"),
    "MANIFEST_BLOB_UNKNOWN": Row(400, "MANIFEST_BLOB_UNKNOWN"),
    "BLOB_UPLOAD_INVALID": Row(400, "BLOB_UPLOAD_INVALID"),
    "RANGE_INVALID": Row(416, "SIZE_INVALID"),
    "CHUNK_OUT_OF_ORDER": Row(416, "BLOB_UPLOAD_INVALID"),
    "PARAMETER_INVALID": Row(400, "UNSUPPORTED"),
    "NOT_ACCEPTABLE": Row(406, "UNSUPPORTED"),
    "UNSUPPORTED": Row(405, "UNSUPPORTED"),
    "READ_ONLY": Row(405, "UNSUPPORTED"),
    "DENIED": Row(403, "DENIED"),
    "NAME_UNKNOWN": Row(404, "NAME_UNKNOWN"),
    "BLOB_UNKNOWN": Row(404, "BLOB_UNKNOWN"),
    "MANIFEST_UNKNOWN": Row(404, "MANIFEST_UNKNOWN"),
    "BLOB_UPLOAD_UNKNOWN": Row(404, "BLOB_UPLOAD_UNKNOWN"),
    "FILE_UNKNOWN": Row(404, "BLOB_UNKNOWN"),
    "NOT_FOUND": Row(404, "UNSUPPORTED"),
    "LOG_REWOUND": Row(409, "UNSUPPORTED"),
    "DIRECTORY_OCCUPIED": Row(409, "UNSUPPORTED"),
    "UPLOAD_BUSY": Row(416, "BLOB_UPLOAD_INVALID"),
    "TOOMANYREQUESTS": Row(429, "TOOMANYREQUESTS"),
    "UNAVAILABLE": Row(503, "UNSUPPORTED"),
    "INGEST_EXPIRED": Row(503, "UNSUPPORTED"),
    "FACTS_CHANGED": Row(503, "UNSUPPORTED"),
    "OBJECT_MISSING": Row(500, "BLOB_UNKNOWN"),
    "OBJECT_CORRUPT": Row(500, "BLOB_UNKNOWN"),
    "LOG_CORRUPT": Row(500, "UNSUPPORTED"),
    "SCHEMA_UNSUPPORTED": Row(503, "UNSUPPORTED"),
    "CONFIG_INVALID": Row(500, "UNSUPPORTED"),
    "INTERNAL": Row(500, "UNSUPPORTED"),
}
"""Code -> row. `INTERNAL` is the root of the tree: what nobody foresaw."""


class Internal(ArtifactStoreError):
    """What an unforeseen exception is answered as: nothing of it leaves the server's log."""

    def __init__(self) -> None:
        super().__init__("the server failed; its log says how")


def foreseen(error: Exception) -> ArtifactStoreError:
    """The error itself if it is one of the tree; any other is logged, and gives nothing away."""
    if isinstance(error, ArtifactStoreError) and error.code in TABLE:
        if TABLE[error.code].status >= 500:
            log.error("%s: %s %s", error.code, error.message, error.detail)
        return error
    log.error("a request failed", exc_info=error)
    return Internal()


def oci_error(error: Exception) -> Answer:
    """The OCI error JSON: `{"errors": [{"code", "message", "detail"}]}`."""
    known = foreseen(error)
    row = TABLE[known.code]
    entry = {"code": row.oci_code, "message": known.message, "detail": known.detail}
    return json_answer({"errors": [entry]}, row.status, _headers(known, row.status))


def problem(error: Exception) -> Answer:
    """Problem details (RFC 9457) with the error's stable `code`, and its detail as `errors`."""
    known = foreseen(error)
    status = TABLE[known.code].status
    value = {
        "type": f"urn:artifactstore:error:{known.code.lower().replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": known.message,
        "code": known.code,
    }
    if known.detail:
        value["errors"] = known.detail
    return json_answer(value, status, _headers(known, status), media_type=PROBLEM)


def _headers(error: ArtifactStoreError, status: int) -> Headers:
    """Retry-After where trying again helps (RFC 9110, 10.2.3); of what length a range is, where none of it exists."""
    if status in (429, 503):
        return ((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),)
    if isinstance(error, RangeInvalid):
        return ((b"content-range", b"bytes */%d" % error.size),)
    return ()
