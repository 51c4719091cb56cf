"""Canonical CBOR (RFC 8949 4.2.1) of plain values with text keys: native manifests, event envelopes, event payloads.

Values are what JSON can hold: maps with text keys, lists, text, numbers, booleans and null. Numbers are I-JSON
(RFC 7493 2.2): integral with |n| <= 2^53-1 is a CBOR integer however it is given, -0 is 0, any other finite float takes
its shortest form; NaN, infinities and larger integers are refused. There are no byte strings and no tags, so that the
JSON projection maps back exactly. `docs/formats/canonical-cbor.md` has the rules, `conformance/vectors/` the vectors.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Any

import cbor2

from artifactstore.errors import ManifestInvalid
from artifactstore.manifest.problems import Refusal, invalid

DEPTH_MAX = 64
"""Most containers that may lie in each other."""

INTEGER_MAX = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 7493 2.2)."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> bytes:
    """The one encoding of `value`.

    Raises ManifestInvalid, with the path of the offender, for what has none: other types, other keys, text that UTF-8
    or a database cannot hold, numbers outside I-JSON, nesting beyond DEPTH_MAX.
    """
    try:
        return cbor2.dumps(_plain(value, 0), encoders={float: _write_float})
    except Refusal as refusal:
        raise refusal.located() from None


def decode(data: bytes) -> Any:
    """Read one value back; `encode(decode(data)) == data` always holds.

    Raises ManifestInvalid for anything that `encode` would not have written: trailing bytes, indefinite lengths, keys
    that repeat or are out of order, longer forms of numbers and lengths, tags, byte strings, other simple values.
    """
    try:
        value = cbor2.loads(
            data,
            tag_hook=_refuse_tag,
            semantic_decoders=_TAGS_REFUSED,
            max_depth=DEPTH_MAX,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except Refusal as refusal:
        raise refusal.located() from None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise _undecodable(error) from error
    again = encode(value)
    if again != data:
        raise invalid("", "bytes follow the value" if data.startswith(again) else "not the canonical encoding")
    return value


def check_text(text: str) -> None:
    """Raise Refusal for a lone surrogate, which UTF-8 lacks, and for U+0000, which PostgreSQL lacks."""
    if "\x00" in text:
        raise Refusal("text holds U+0000")
    if not text.isascii() and _SURROGATE.search(text):
        raise Refusal("text holds a lone surrogate")


def _plain(value: Any, depth: int) -> Any:
    """`value` as plain dicts in key order, lists, text and numbers; raises Refusal."""
    kind = type(value)
    if kind is str:
        check_text(value)
        return value
    if kind is int:
        if -INTEGER_MAX <= value <= INTEGER_MAX:
            return value
        raise Refusal("an integer beyond 2^53-1")
    if kind is bool or value is None:
        return value
    if kind is float:
        return _number(value)
    return _container(value, depth + 1)


def _container(value: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise Refusal(f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, Mapping):
        return _map(value, depth)
    if isinstance(value, list | tuple):
        return _list(value, depth)
    if isinstance(value, str):  # a subclass, such as a name that was parsed
        return _plain(str.__str__(value), depth)
    raise Refusal(f"a value of type {type(value).__name__}")


def _map(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    key: Any = None
    for key in value:
        if not isinstance(key, str):
            raise Refusal(f"a key of type {type(key).__name__}")
        check_text(key)
    try:
        for key in sorted(value, key=_key_order):
            plain[key] = _plain(value[key], depth)
    except Refusal as refusal:
        refusal.steps.append(key)
        raise
    return plain


def _list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    plain: list[Any] = []
    try:
        for item in value:
            plain.append(_plain(item, depth))  # noqa: PERF401 - its length says where a refusal came from
    except Refusal as refusal:
        refusal.steps.append(len(plain))
        raise
    return plain


def _key_order(key: str) -> tuple[int, bytes]:
    """Bytewise order of the encoded keys (4.2.1): the head of a text grows with its length, so shorter comes first."""
    encoded = key.encode()
    return len(encoded), encoded


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise Refusal("NaN" if math.isnan(value) else "an infinity")
    return int(value) if value.is_integer() and abs(value) <= INTEGER_MAX else value


def _write_float(encoder: cbor2.CBOREncoder, value: float) -> None:
    """The shortest of the three forms that keeps the value (4.2.1, and 4.1 "preferred serialization")."""
    for head, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            short = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, short)[0] == value:
            encoder.write(head + short)
            return
    encoder.write(b"\xfb" + struct.pack(">d", value))


def _refuse_tag(*_: object) -> Any:
    raise Refusal("a tag")


_TAGS_REFUSED = dict.fromkeys(
    (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799),
    _refuse_tag,
)
"""The tags that cbor2 reads by itself, into times, big numbers, patterns; the hook gets only the others."""


def _undecodable(error: BaseException) -> ManifestInvalid:
    if isinstance(error.__cause__, Refusal):
        return invalid("", error.__cause__.reason)
    return invalid("", f"not CBOR that can be read: {error}")
