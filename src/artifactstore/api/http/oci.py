"""`/v2`: one table from what is asked to who answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from artifactstore.api.http import (
    errors,
    oci_blobs,
    oci_grammar,
    oci_indexes,
    oci_lists,
    oci_manifests,
    oci_uploads,
)
from artifactstore.api.http import oci_request as ask
from artifactstore.api.http.answers import Answer, json_answer
from artifactstore.api.http.asgi import Receive, Scope, Send
from artifactstore.api.http.calls import Call, ClientDisconnected, ClientStalled
from artifactstore.errors import ReadOnly, ResourceUnknown, Unsupported
from artifactstore.registry.registry import Registry

Handler = Callable[[Registry, Any, Call], Awaitable[Answer]]

HANDLERS: Mapping[type, Handler] = {
    ask.Ping: oci_lists.ping,
    ask.BlobGet: oci_blobs.get_blob,
    ask.BlobDelete: oci_blobs.delete_blob,
    ask.BlobPush: oci_blobs.push_blob,
    ask.BlobMount: oci_blobs.mount_blob,
    ask.UploadStart: oci_uploads.start_upload,
    ask.UploadAppend: oci_uploads.append_upload,
    ask.UploadClose: oci_uploads.close_upload,
    ask.UploadGet: oci_uploads.get_upload,
    ask.UploadCancel: oci_uploads.cancel_upload,
    ask.ManifestGet: oci_manifests.get_manifest,
    ask.ManifestPut: oci_manifests.put_manifest,
    ask.ManifestDelete: oci_manifests.delete_manifest,
    ask.TagList: oci_lists.list_tags,
    ask.ReferrerList: oci_indexes.list_referrers,
    ask.TagHistory: oci_indexes.list_tag_history,
    ask.RepositoryList: oci_lists.list_repositories,
    ask.Catalog: oci_lists.list_catalog,
    ask.Discover: oci_lists.discover,
}

CHANGES = (ask.BlobDelete, ask.BlobPush, ask.BlobMount, ask.ManifestPut, ask.ManifestDelete, ask.UploadStart)
UPLOADING = (ask.UploadAppend, ask.UploadClose, ask.UploadGet, ask.UploadCancel)
"""An upload is only asked about by who would go on with it."""


async def _refuse_change(registry: Registry, request: Any, call: Call) -> Answer:
    raise ReadOnly


READING: Mapping[type, Handler] = {**HANDLERS, **dict.fromkeys(CHANGES + UPLOADING, _refuse_change)}
"""What a read-only store answers with: a change is refused before anything of its body is taken."""

API_VERSION = (b"docker-distribution-api-version", b"registry/2.0")
"""Docker clients older than the specification look for it."""

CLOSE = (b"connection", b"close")
STALLED = json_answer(
    {"errors": [{"code": "BLOB_UPLOAD_INVALID", "message": "the body stopped coming", "detail": {}}]}, 408, (CLOSE,)
)


class OciApp:
    """The ASGI application of `/v2`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._handlers = READING if registry.policy.read_only else HANDLERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive)
        try:
            answer = await self._answer(call)
        except ClientStalled:
            answer = STALLED
        except ClientDisconnected:
            return
        await answer.adding(API_VERSION)(scope, receive, send)

    async def _answer(self, call: Call) -> Answer:
        try:
            request = oci_grammar.parse(call.method, call.path, call.query)
            return await self._handlers[type(request)](self._registry, request, call)
        except ClientDisconnected:
            raise
        except Unsupported as error:
            return errors.oci_error(error).adding((b"allow", _others(call, error).encode()))
        except Exception as error:
            return errors.oci_error(error)


def _others(call: Call, error: Unsupported) -> str:
    """The methods that would be answered there instead of this one."""
    refused = ("DELETE", "PATCH", "POST", "PUT") if isinstance(error, ReadOnly) else (call.method,)
    try:
        return ", ".join(method for method in oci_grammar.allowed(call.path) if method not in refused)
    except ResourceUnknown:
        return ""
