"""What a server says went wrong, and what went wrong on the way to it, as errors of our own tree."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from artifactstore import errors
from artifactstore.client.addresses import site
from artifactstore.errors import ArtifactStoreError, BackendUnavailable, ChunkOutOfOrder, RangeInvalid

BODY_MAX = 64 << 10
"""Of an error's body so many bytes are read; what is longer tells nothing more."""
TEXT_MAX = 1000
NOT_TLS = ("wrong version number", "wrong_version_number", "record layer failure")


def _coded(error: type[ArtifactStoreError]) -> Iterator[type[ArtifactStoreError]]:
    """Every class below that has a code of its own, be it a leaf or not."""
    for child in error.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _coded(child)


OURS: Mapping[str, type[ArtifactStoreError]] = {
    error.code: error for error in _coded(ArtifactStoreError) if error.__module__ == errors.__name__
}
"""Stable code -> error."""

OCI: Mapping[str, type[ArtifactStoreError]] = {
    "UNAUTHORIZED": errors.Denied,
    "MANIFEST_UNVERIFIED": errors.ManifestInvalid,
    "TAG_INVALID": errors.NameInvalid,
    "PAGINATION_NUMBER_INVALID": errors.ParameterInvalid,
}
"""OCI and Docker codes that are not ours as well (distribution-spec, "Error Codes")."""

STATUSES: Mapping[int, type[ArtifactStoreError]] = {
    401: errors.Denied,
    403: errors.Denied,
    404: errors.ResourceUnknown,
    405: errors.Unsupported,
    406: errors.NotAcceptable,
    413: errors.SizeExceeded,
    416: errors.RangeInvalid,
    429: errors.TooManyRequests,
}
"""What a status means where no code says more."""


def refusal(response: httpx.Response, body: bytes) -> ArtifactStoreError:
    """The error that an answer stands for. Problem details have our codes; OCI error JSON has those of its list."""
    said = _parsed(body)
    code = said.get("code")
    if isinstance(code, str) and code in OURS:
        return _made(OURS[code], _text(said.get("detail")) or code, said.get("errors"))
    listed = said.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    status = response.status_code
    if status == 416 or not 400 <= status < 500:
        kind = STATUSES.get(status, BackendUnavailable)
    else:
        named = str(first.get("code"))
        kind = OCI.get(named) or OURS.get(named) or STATUSES.get(status, errors.ParameterInvalid)
    message = _text(first.get("message")) or _text(said.get("detail"))
    if kind is errors.Denied and message:
        message = f"{site(str(response.request.url))}: {message}"
    if kind is BackendUnavailable or not message:
        message = f"{_answered(response)}{f': {message}' if message else ''}"
    return _made(kind, message, first.get("detail"))


def nonsense(response: httpx.Response, what: str) -> BackendUnavailable:
    """An answer that no server of its kind gives."""
    return BackendUnavailable(f"{_answered(response)}: {what}")


def unreachable(url: str, error: Exception) -> BackendUnavailable:
    """No answer, or half of one."""
    return BackendUnavailable(f"the server at {site(url)} {_fault(error)}")


def _fault(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "does not answer in time"
    if _is_plain(handshake_fault(error)):
        return "does not speak TLS; use http://"
    if isinstance(error, httpx.ConnectError):
        return f"cannot be reached: {_cause(error)}"
    if isinstance(error, httpx.NetworkError):
        return "broke the connection off"
    return f"does not answer as a server should: {_cause(error)}"


def handshake_fault(error: BaseException) -> ssl.SSLError | None:
    """The error of TLS that lies below, which another try does not change."""
    found = _innermost(error)
    return found if isinstance(found, ssl.SSLError) else None


def _is_plain(fault: ssl.SSLError | None) -> bool:
    """Whether what answered was not TLS at all; OpenSSL has had two ways to say so."""
    return fault is not None and any(words in str(fault).lower() for words in NOT_TLS)


def _innermost(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _cause(error: BaseException) -> str:
    """The innermost error in words: an operating system's says more than what was raised around it."""
    seen = _innermost(error)
    words = str(seen)
    if isinstance(seen, OSError) and seen.errno and not isinstance(seen, ssl.SSLError):
        words = os.strerror(seen.errno) if seen.errno > 0 else str(seen.strerror)  # names that are not found count down
    return _text(words or str(error)) or type(error).__name__


def _answered(response: httpx.Response) -> str:
    request = response.request
    return f"{site(str(request.url))} answered {response.status_code} to {request.method} {request.url.path}"


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:TEXT_MAX] if isinstance(value, str) else ""


def _made(kind: type[ArtifactStoreError], message: str, detail: object) -> ArtifactStoreError:
    known: dict[str, Any] = detail if isinstance(detail, dict) else {"said": detail} if detail else {}
    if kind is RangeInvalid:
        return RangeInvalid(message, size=_number(known.get("size")))
    if kind is ChunkOutOfOrder:
        return ChunkOutOfOrder(message, offset=_number(known.get("offset")))
    return kind(message, detail=known)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
