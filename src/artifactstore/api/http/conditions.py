"""Validators: the ETag of what is answered, and 304 for who holds it already (RFC 9110, 13.1.2)."""

from __future__ import annotations

from artifactstore.api.http.answers import Answer, empty
from artifactstore.api.http.asgi import Headers
from artifactstore.api.http.calls import Call


def etag(text: object) -> str:
    """A strong entity tag."""
    return f'"{text}"'


def not_modified(call: Call, tag: str, headers: Headers) -> Answer | None:
    """304 with the headers that the full answer would have, when If-None-Match names the tag; else None."""
    held = call.header(b"if-none-match")
    if held is None:
        return None
    names = {name.strip().removeprefix("W/") for name in held.split(",")}
    return empty(304, headers) if tag in names or "*" in names else None
