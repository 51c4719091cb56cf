"""The words of a `/v2` URL, each read into a type that can only be valid. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from artifactstore.api.http.oci_request import Page, Reference
from artifactstore.errors import (
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NotFound,
    ParameterInvalid,
)
from artifactstore.identity.digest import Digest, is_digest_text
from artifactstore.identity.names import TagName

Pairs = Sequence[tuple[str, str]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBER_DIGITS_MAX = 18


def existing(text: str) -> Reference:
    """A digest, or a tag that may exist: what cannot be a tag is unknown, not wrong.

    Raises ManifestUnknown, DigestInvalid.
    """
    if ":" in text:
        return existing_digest(text, ManifestUnknown)
    try:
        return TagName.parse(text)
    except NameInvalid:
        raise ManifestUnknown("no such manifest in this repository", detail={"reference": text[:200]}) from None


def existing_digest(text: str, unknown: type[NotFound]) -> Digest:
    """A digest that may name something: one of an algorithm that is not supported is sound, yet names nothing here.

    Raises DigestInvalid, and `unknown` for the latter.
    """
    try:
        return Digest.parse(text)
    except DigestInvalid:
        if not is_digest_text(text):
            raise
        raise unknown("nothing is stored under a digest of this algorithm", detail={"digest": text[:200]}) from None


def subject(text: str) -> Digest:
    """The digest of a subject, which a manifest may name by any algorithm: it is only ever compared as text.

    Raises DigestInvalid.
    """
    if not is_digest_text(text):
        return Digest.parse(text)
    algorithm, _, encoded = text.partition(":")
    return Digest(algorithm, encoded)


def settable(text: str) -> TagName:
    """A tag that may be set; the OCI list has no better word for a bad one than MANIFEST_INVALID."""
    try:
        return TagName.parse(text)
    except NameInvalid as error:
        raise ManifestInvalid(error.message, detail=error.detail) from None


def page(query: Pairs) -> Page:
    """`n` and `last`. Raises ParameterInvalid."""
    return Page(number(query, "n"), first(query, "last") or "") if query else Page()


def first(query: Pairs, name: str) -> str | None:
    """The first value of a parameter."""
    return next((value for key, value in query if key == name), None)


def number(query: Pairs, name: str) -> int | None:
    """A whole number from 0 on. Raises ParameterInvalid."""
    text = first(query, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise ParameterInvalid(f"{name} must be a whole number from 0 on", detail={name: text[:100]})
    return int(text)


def time(query: Pairs, name: str) -> int | None:
    """An RFC 3339 time in µs since 1970 UTC; one without an offset is UTC. Raises ParameterInvalid."""
    text = first(query, name)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ParameterInvalid(f"{name} must be an RFC 3339 time", detail={name: text[:100]}) from None
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)
