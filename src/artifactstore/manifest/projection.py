"""The JSON face of canonical CBOR: the JSON Canonicalization Scheme (RFC 8785), exact in both directions."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from artifactstore.manifest.codec import decode, encode
from artifactstore.manifest.problems import invalid
from artifactstore.manifest.strict_json import read

_INTEGER_DIGITS_MAX = 16
"""2^53-1 has 16 digits. A longer run of digits is how RFC 8785 writes a large float, such as 1e20."""


def to_jcs(cbor: bytes) -> bytes:
    """The RFC 8785 JSON of one canonical CBOR value. Raises ManifestInvalid when `cbor` is none."""
    value = decode(cbor)
    if _is_simple(value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return rfc8785.dumps(value)


def from_jcs(text: bytes) -> bytes:
    """The canonical CBOR whose projection is `text`, byte for byte.

    Raises ManifestInvalid when `text` is not in RFC 8785 form, or is JSON that has no canonical CBOR.
    """
    cbor = encode(read(text, integer=_number))
    if to_jcs(cbor) != text:
        raise invalid("", "not in the form of RFC 8785")
    return cbor


def _number(digits: str) -> int | float:
    if len(digits) > _INTEGER_DIGITS_MAX + 1:
        return float(digits)
    number = int(digits)
    return number if abs(number) < 2**53 else float(number)


def _is_simple(value: Any) -> bool:
    """Whether the standard library's encoder writes RFC 8785 as it is, at a tenth of the time.

    It does unless there is a float (whose notation differs) or a key beyond the BMP (which UTF-16 sorts elsewhere).
    """
    if isinstance(value, dict):
        return all((key.isascii() or max(key) <= "\uffff") and _is_simple(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_simple, value))
    return not isinstance(value, float)
