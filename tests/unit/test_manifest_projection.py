"""The JSON projection (RFC 8785): exact from CBOR and exact back."""

from __future__ import annotations

import pytest

from artifactstore.errors import ManifestInvalid
from artifactstore.manifest.codec import decode, encode
from artifactstore.manifest.projection import from_jcs, to_jcs


def test_the_example_of_the_rfc_is_projected_as_printed() -> None:
    """The sample object of RFC 8785 3.2.2 comes out as the bytes of 3.2.3, numbers and key order included."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert to_jcs(encode(value)) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_utf16() -> None:
    """RFC 8785 3.2.3 sorts by UTF-16 code units, so a character beyond the BMP comes before U+FB33."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    projected = to_jcs(encode(dict.fromkeys(keys, 0))).decode()
    expected = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert projected == "{" + ",".join(f'"{key}":0' for key in expected) + "}"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (9007199254740991, b"9007199254740991"),
        (-9007199254740991, b"-9007199254740991"),
        (9007199254740992.0, b"9007199254740992"),
        (-9007199254740992.0, b"-9007199254740992"),
        (295147905179352830000.0, b"295147905179352830000"),
        (1e21, b"1e+21"),
        (5e-324, b"5e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (-0.0, b"0"),
        (0.000001, b"0.000001"),
        (1e-7, b"1e-7"),
    ],
)
def test_numbers_come_back_as_they_were(number: float, text: bytes) -> None:
    """A large float that RFC 8785 writes as digits maps back to the same CBOR float, never to an integer."""
    cbor = encode(number)
    assert to_jcs(cbor) == text
    assert from_jcs(text) == cbor
    assert decode(cbor) == number


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" 1",
        b"1.0",
        b"-0",
        b"1e2",
        b"1e400",
        b"9007199254740993",
        b"9" * 400,
        b"9" * 5000,
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b'"\\u0041"',
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        b"NaN",
        b"-Infinity",
        b"[" * 65 + b"]" * 65,
        b"[" * 1_000_000,
    ],
)
def test_other_json_has_no_way_back(text: bytes) -> None:
    """Only the exact projection maps back; everything else raises ManifestInvalid."""
    with pytest.raises(ManifestInvalid):
        from_jcs(text)
