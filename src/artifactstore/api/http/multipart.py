"""Several ranges of one blob in one answer (RFC 9110, 14.6): how podman and stargz pull the parts that they lack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from artifactstore.api.http import answers
from artifactstore.api.http.answers import Answer
from artifactstore.api.http.asgi import Headers
from artifactstore.api.http.ranges import Span
from artifactstore.dataplane.spi import Served
from artifactstore.registry.core import Descriptor
from artifactstore.registry.registry import Registry


def content(registry: Registry, blob: Descriptor, spans: Sequence[Span], media_type: bytes, headers: Headers) -> Answer:
    """206 with a part for each span, in their order; each is opened when its turn comes.

    The boundary is the blob's own address, which no blob can hold.
    """
    boundary = blob.address.hex.encode()
    heads = [_head(boundary, media_type, span, blob.size) for span in spans]
    end = b"\r\n--%s--\r\n" % boundary
    length = sum(len(head) + span.length for head, span in zip(heads, spans, strict=True)) + len(end)
    served = Served(length, _parts(registry, blob, spans, heads, end))
    return answers.content(served, b"multipart/byteranges; boundary=" + boundary, status=206, headers=headers)


def _head(boundary: bytes, media_type: bytes, span: Span, size: int) -> bytes:
    """What stands before a part; the line end before a boundary belongs to it, so that also the first one has it."""
    lines = (b"--" + boundary, b"Content-Type: " + media_type, b"Content-Range: " + span.content_range(size), b"", b"")
    return b"\r\n" + b"\r\n".join(lines)


async def _parts(
    registry: Registry, blob: Descriptor, spans: Sequence[Span], heads: Sequence[bytes], end: bytes
) -> AsyncIterator[bytes]:
    for head, span in zip(heads, spans, strict=True):
        yield head
        part = await registry.serve(blob, *span)
        try:
            async for chunk in part.chunks:
                yield chunk
        finally:
            await answers.close(part)
    yield end
