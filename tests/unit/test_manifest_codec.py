"""Canonical CBOR: one encoding for each value, and no decoding of anything else."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Any

import pytest

from artifactstore.errors import ManifestInvalid
from artifactstore.identity.names import RepositoryName
from artifactstore.manifest.codec import DEPTH_MAX, decode, encode

# RFC 8949, Appendix A, as far as it lies within what I-JSON can hold; what has another form here says so.
APPENDIX_A: list[tuple[Any, str]] = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (-1, "20"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (1.1, "fb3ff199999999999a"),
    (1.5, "f93e00"),
    (3.4028234663852886e38, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"),
    (5.960464477539063e-8, "f90001"),
    (0.00006103515625, "f90400"),
    (-4.1, "fbc010666666666666"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    ("", "60"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("ü", "62c3bc"),
    ("水", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ([], "80"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    ({}, "a0"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
]


@pytest.mark.parametrize(("value", "expected"), APPENDIX_A)
def test_encodes_the_examples_of_the_rfc(value: Any, expected: str) -> None:
    """The examples of RFC 8949, Appendix A, encode to the bytes printed there, and decode back."""
    assert encode(value).hex() == expected
    assert decode(bytes.fromhex(expected)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "01"),
        (-0.0, "00"),
        (65504.0, "19ffe0"),
        (float(2**53 - 1), "1b001fffffffffffff"),
        (float(2**53), "fa5a000000"),
        (1e300, "fb7e37e43c8800759c"),
        (3.14, "fb40091eb851eb851f"),
        (0.1 + 0.2, "fb3fd3333333333334"),
        (16777217.5, "fb4170000018000000"),
        (2.5, "f94100"),
        (65504.5, "fa477fe080"),
    ],
)
def test_a_number_has_one_form_however_it_is_given(value: float, expected: str) -> None:
    """Integral floats within 2^53-1 are integers, -0 is 0, and every other float takes its shortest exact form."""
    assert encode(value).hex() == expected
    assert encode(decode(bytes.fromhex(expected))).hex() == expected


def test_keys_are_in_bytewise_order_of_their_encoding() -> None:
    """Shorter keys come first, then bytewise (RFC 8949 4.2.1), over the boundary of the one-byte head too."""
    keys = ["b", "aa", "ü", "zz", "a", "", "c" * 23, "b" * 24, "a" * 256, "\ue000", "\U00010000"]
    decoded = decode(encode(dict.fromkeys(keys, 0)))
    assert list(decoded) == sorted(keys, key=encode)


def test_equal_values_of_other_types_encode_alike() -> None:
    """A tuple is a list, any mapping is a map, and a parsed name is its text."""
    name = RepositoryName.parse("acme/reports")
    assert encode({name: (name,)}) == encode({"acme/reports": ["acme/reports"]})
    assert encode(MappingProxyType({"a": 1})) == encode({"a": 1})


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"a": {"b/c": [1, float("nan")]}}, "/a/b~1c/1", "NaN"),
        ({"a": float("-inf")}, "/a", "an infinity"),
        ([2**53], "/0", "an integer beyond 2^53-1"),
        (-(2**53), "", "an integer beyond 2^53-1"),
        ({"a": b"bytes"}, "/a", "a value of type bytes"),
        ({"a": {1, 2}}, "/a", "a value of type set"),
        ({1: 2}, "", "a key of type int"),
        ({"a": "\ud800"}, "/a", "text holds a lone surrogate"),
        ({"a": "x\x00"}, "/a", "text holds U+0000"),
        ({"a": {"\x00": 1}}, "/a", "text holds U+0000"),
        ({"\udfff": 1}, "", "text holds a lone surrogate"),
    ],
)
def test_what_has_no_encoding_is_refused_by_name_and_place(value: Any, path: str, reason: str) -> None:
    """The error says where the offender is, as a JSON Pointer, and what is wrong with it."""
    with pytest.raises(ManifestInvalid) as caught:
        encode(value)
    assert caught.value.detail == {"path": path, "reason": reason}


def nested(depth: int) -> Any:
    """A list in a list, so many deep."""
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_is_bounded_alike_in_both_directions() -> None:
    """DEPTH_MAX containers may lie in each other; one more is refused by encoder and decoder."""
    assert decode(encode(nested(DEPTH_MAX))) == nested(DEPTH_MAX)
    with pytest.raises(ManifestInvalid, match="nested deeper"):
        encode(nested(DEPTH_MAX + 1))
    with pytest.raises(ManifestInvalid):
        decode(b"\x81" * DEPTH_MAX + b"\x80")
    with pytest.raises(ManifestInvalid, match="nested deeper"):
        encode(nested(100_000))


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "not CBOR"),
        ("01 00", "bytes follow"),
        ("a0 a0", "bytes follow"),
        ("18 17", "not the canonical encoding"),
        ("19 0017", "not the canonical encoding"),
        ("58 01 61", "bytes"),
        ("40", "bytes"),
        ("78 01 61", "not the canonical encoding"),
        ("98 01 00", "not the canonical encoding"),
        ("b8 01 6161 00", "not the canonical encoding"),
        ("f9 3c00", "not the canonical encoding"),
        ("f9 8000", "not the canonical encoding"),
        ("fa 3fc00000", "not the canonical encoding"),
        ("fb 7ff0000000000000", "an infinity"),
        ("f9 7e00", "NaN"),
        ("1b 0020000000000000", "an integer beyond"),
        ("3b ffffffffffffffff", "an integer beyond"),
        ("a2 6161 00 6161 01", "Duplicate"),
        ("a2 6162 00 6161 00", "not the canonical encoding"),
        ("a2 626161 00 6162 00", "not the canonical encoding"),
        ("a1 00 00", "key"),
        ("a1 4161 00", "a key of type bytes"),
        ("9f ff", "indefinite"),
        ("bf ff", "indefinite"),
        ("7f 6161 ff", "indefinite"),
        ("5f 4161 ff", "indefinite"),
        ("c0 74323031332d30332d32315432303a30343a30305a", "a tag"),
        ("c2 41 01", "a tag"),
        ("c5 82 1a7fffffff 01", "a tag"),
        ("d8 23 63282b29", "a tag"),
        ("d8 1c 80", "a tag"),
        ("d9 0190 00", "a tag"),
        ("d9 d9f7 00", "a tag"),
        ("f7", "type"),
        ("f0", "type"),
        ("f8 20", "type"),
        ("61 ff", "not CBOR"),
        ("63 eda080", "not CBOR"),
        ("61 00", "U+0000"),
        ("9b 7fffffffffffffff", "not CBOR"),
        ("7b 7fffffffffffffff", "not CBOR"),
        ("ff", "not CBOR"),
        ("1c", "not CBOR"),
    ],
)
def test_whatever_the_encoder_would_not_write_is_refused(encoded: str, reason: str) -> None:
    """Trailing bytes, longer forms, wrong order, tags, byte strings and broken input all raise ManifestInvalid."""
    with pytest.raises(ManifestInvalid) as caught:
        decode(bytes.fromhex(encoded))
    assert reason in caught.value.message


def test_a_tag_runs_nothing() -> None:
    """A tagged pattern that would take ages to compile is refused before cbor2 makes anything of it."""
    pattern = b"(" * 50 + b"a{1,999}" * 50 + b")" * 50
    began = time.perf_counter()
    with pytest.raises(ManifestInvalid, match="a tag"):
        decode(b"\xd8\x23\x79" + len(pattern).to_bytes(2, "big") + pattern)
    assert time.perf_counter() - began < 5


def test_an_error_can_always_be_written_as_json() -> None:
    """A path made of text that UTF-8 cannot hold is shown escaped, and cut to a bounded length."""
    with pytest.raises(ManifestInvalid) as caught:
        encode({"k" * 10_000: {"\udfff": {}}})
    caught.value.message.encode()
    assert len(caught.value.detail["path"]) < 400
