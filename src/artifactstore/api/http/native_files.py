"""The native API: the files of a package, as a list and as bytes."""

from __future__ import annotations

from urllib.parse import quote

from artifactstore.api.http import oci_headers, parameters
from artifactstore.api.http.answers import Answer, content, empty, json_answer
from artifactstore.api.http.asgi import Headers
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, Parameter
from artifactstore.api.http.native_packages import JSON, PACKAGE, package_name
from artifactstore.api.http.ranges import Span, blob_span
from artifactstore.api.http.schemas import BYTES, TEXT, named
from artifactstore.registry import rendering
from artifactstore.registry.core import Descriptor
from artifactstore.registry.registry import Registry

UNTOLD = "application/octet-stream"


async def files(registry: Registry, call: Call) -> Answer:
    """A page of a package's files, in the order of its manifest."""
    name, size = package_name(call), parameters.page_size(call)
    position = parameters.number(call, "cursor", default=0)
    found = await registry.files(call.principal, name.repository, name.reference, position=position, limit=size + 1)
    more = parameters.following(call, cursor=found[size].row.position) if len(found) > size else None
    value = {"files": [rendering.file(file) for file in found[:size]], "next": more}
    return json_answer(value, headers=parameters.link(more))


async def file(registry: Registry, call: Call) -> Answer:
    """The bytes of a file, or of a range of it."""
    name, path = package_name(call), call.scope["path_params"]["path"]
    found, descriptor = await registry.file(call.principal, name.repository, name.reference, path)
    tag = oci_headers.etag(descriptor.address.digest)
    headers = (
        (b"etag", tag.encode()),
        (b"accept-ranges", b"bytes"),
        (b"content-disposition", _disposition(found.row.path or descriptor.address.hex).encode()),
    )
    if oci_headers.is_known_to(call, tag):
        return empty(304, headers)
    asked = call.header(b"range") if call.method == "GET" else None  # HEAD has no ranges (RFC 9110, 14.2)
    span = blob_span(asked, call.header(b"if-range"), tag, descriptor.size)
    return await _bytes(registry, call, descriptor, span, headers)


async def _bytes(registry: Registry, call: Call, descriptor: Descriptor, span: Span | None, headers: Headers) -> Answer:
    media_type = _media_type(descriptor.media_type)
    if call.method == "HEAD":
        said = ((b"content-type", media_type), (b"content-length", b"%d" % descriptor.size))
        return Answer(200, (*headers, *said))
    if span is None:
        return content(await registry.serve(descriptor), media_type, headers=headers)
    served = await registry.serve(descriptor, span.offset, span.length)
    where = (b"content-range", span.content_range(descriptor.size))
    return content(served, media_type, status=206, headers=(*headers, where))


def _media_type(said: str) -> bytes:
    """What the producer said it is, if a header can say it."""
    return (said if said.isascii() and said.isprintable() and said else UNTOLD).encode()


def _disposition(path: str) -> str:
    """To be saved, under the last segment of its path, and never shown (RFC 6266, RFC 8187)."""
    return f"attachment; filename*=UTF-8''{quote(path.rpartition('/')[2] or 'file', safe='')}"


_SPAN = (
    Parameter("Range", "header", TEXT, "One range of bytes (RFC 9110, 14)."),
    Parameter("If-Range", "header", TEXT, "The ETag that the range is of."),
)

ENDPOINTS = (
    Endpoint(
        "/api/v1/packages/{package:package}/files",
        "listFiles",
        "The files of a package, in the order of its manifest",
        files,
        (PACKAGE, parameters.N, parameters.CURSOR),
        {200: {JSON: named("Files")}},
        (404,),
    ),
    Endpoint(
        "/api/v1/packages/{package:package}/files/{path:file}",
        "getFile",
        "The bytes of a file",
        file,
        (
            PACKAGE,
            Parameter(
                "path",
                "path",
                {**TEXT, "minLength": 1, "examples": ["summary.txt"]},
                "Its path, percent-encoded but for slashes; or a digest of it.",
            ),
            *_SPAN,
        ),
        {200: {"*/*": BYTES}, 206: {"*/*": BYTES}, 304: {}},
        (404, 416),
    ),
)
