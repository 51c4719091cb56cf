"""Any bytes pushed as a manifest are stored whole, or refused with a code that says why, and then nothing is kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.http.oci_client import EMPTY, MANIFEST, descriptor, image
from tests.property.asgi_store import HttpStore, Reply, http_store
from tests.property.test_manifest_properties import MANIFESTS

UNHURRIED = settings(deadline=None, max_examples=100)
REFUSALS = ("MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN")
NAMES = st.sampled_from(
    [
        "schemaVersion",
        "mediaType",
        "config",
        "layers",
        "manifests",
        "subject",
        "annotations",
        "artifactType",
        "digest",
        "size",
        "é",
    ]
)
ATOMS = st.one_of(
    st.sampled_from(
        [
            "null",
            "true",
            "2",
            "2.0",
            "2e0",
            "-0",
            "1e999",
            "1e-999",
            "9007199254740992",
            "9" * 400,
            "9" * 5000,
            "NaN",
            "01",
        ]
    ),
    st.sampled_from(
        ['"\\ud800"', '"\\u0000"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\x00"', '""', "'x'", "", "\ufeff1"]
    ),
    st.text(max_size=8).map(json.dumps),
    st.sampled_from([json.dumps(MANIFEST), json.dumps(descriptor(b"{}", EMPTY)), f"[{json.dumps(descriptor(b'{}'))}]"]),
)
"""JSON texts, as strings, so that names may repeat and numbers be as no encoder writes them."""


def an_object(pairs: list[tuple[str, str]]) -> str:
    """The text of an object, names as they are."""
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


JSON = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(NAMES, inner), max_size=5).map(an_object),
    ),
    max_leaves=12,
)
STRINGS = st.one_of(ATOMS, st.sampled_from(['"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', '"a/b"', '"a"']))
ODD_FIELDS = st.one_of(
    st.tuples(st.just("annotations"), st.lists(st.tuples(NAMES, STRINGS), max_size=3).map(an_object)),
    st.tuples(st.sampled_from(["artifactType", "mediaType", "subject", "config"]), STRINGS),
    st.tuples(st.one_of(NAMES, st.just("unknown")), JSON),
)
NEARLY = st.lists(ODD_FIELDS, max_size=3).map(
    lambda pairs: an_object([("schemaVersion", "2"), ("layers", "[]"), *pairs])
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32-be", "latin-1"])


@pytest.fixture(scope="module")
def store() -> Iterator[HttpStore]:
    """A store whose repository `held` has the empty config."""
    with http_store() as opened:
        query = f"digest=sha256:{hashlib.sha256(b'{}').hexdigest()}".encode()
        assert opened.ask("POST", "/v2/held/blobs/uploads/", b"{}", query=query).status == 201
        yield opened


def is_one_thing_to_all(body: bytes) -> bool:
    """Whether every reader sees the same in it, and every database can hold that (RFC 7493)."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs) or any(not is_text(name) for name, _ in pairs):
            raise ValueError
        return dict(pairs)

    def is_text(value: Any) -> bool:
        return not isinstance(value, str) or not re.search(r"[\x00\ud800-\udfff]", value)

    def is_sound(value: Any) -> bool:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return is_text(value) and all(is_sound(item) for item in inner)

    try:
        return is_sound(json.loads(body.decode(), object_pairs_hook=unique))
    except ValueError:
        return False


def push(store: HttpStore, body: bytes, media_type: bytes | None = None) -> Reply:
    """Push a manifest; what was stored comes back as it was, in every form, and of what was refused nothing does."""
    headers = [] if media_type is None else [(b"content-type", media_type)]
    before = store.ask("GET", "/api/v1/events", query=b"n=1").header(b"artifactstore-log-head")
    reply = store.ask("PUT", "/v2/held/manifests/t", body, headers=headers)
    if reply.status == 201:
        assert is_one_thing_to_all(body)
        assert store.ask("GET", "/v2/held/manifests/t").body == body
        for path in ("", "/files", "/manifest", "/referrers"):
            assert store.ask("GET", f"/api/v1/packages/held:t{path}").status == 200
    else:
        assert reply.status in (400, 413)
        assert reply.code in (*REFUSALS, "SIZE_INVALID")
        assert store.ask("GET", "/api/v1/events", query=b"n=1").header(b"artifactstore-log-head") == before
    return reply


@UNHURRIED
@given(
    st.one_of(NEARLY, NEARLY, JSON),
    ENCODINGS,
    st.one_of(st.none(), st.sampled_from([MANIFEST.encode(), b"\xff", b"", b"a/b; c=d"])),
)
@example('{"schemaVersion":2,"layers":[],"annotations":{"a":"\\ud83d\\ude00"}}', "utf-8", None)
@example('{"schemaVersion":2,"layers":[],"unknown":[{"a":"\\ud800"}]}', "utf-8", None)
@example('{"schemaVersion":2,"layers":[],"unknown":[{"\\u0000":1}]}', "utf-8", None)
@example('{"schemaVersion":2,"layers":[],"unknown":[{"a":1,"a":1}]}', "utf-8", None)
def test_any_json_is_stored_or_refused(store: HttpStore, text: str, encoding: str, media_type: bytes | None) -> None:
    """Names that repeat, numbers beyond all bounds, lone surrogates, NULs, other encodings, wrong types anywhere."""
    push(store, text.encode(encoding, "backslashreplace"), media_type)


@UNHURRIED
@given(MANIFESTS, st.sampled_from([None, MANIFEST.encode()]))
def test_any_manifest_of_wrong_types_is_stored_or_refused(
    store: HttpStore, fields: dict[str, Any], media_type: bytes | None
) -> None:
    """Each field with whatever JSON can hold in it."""
    push(store, json.dumps(fields).encode(), media_type)


@UNHURRIED
@given(st.binary(max_size=100), st.integers(0, 300))
def test_any_bytes_are_stored_or_refused(store: HttpStore, data: bytes, place: int) -> None:
    """Bytes that are no JSON, and a manifest with bytes put into it."""
    body = image()
    push(store, data)
    push(store, body[:place] + data + body[place:])


def members(*bodies: bytes) -> bytes:
    """An index."""
    return json.dumps({"schemaVersion": 2, "manifests": [descriptor(body, MANIFEST) for body in bodies]}).encode()


def holding(text: str) -> bytes:
    """A manifest without layers that has something else in it."""
    return b'{"schemaVersion":2,"layers":[],' + text.encode() + b"}"


LARGE: dict[str, tuple[Callable[[], bytes], int]] = {
    "annotations": (lambda: image(annotations={f"a{number}": "x" for number in range(100_000)}), 201),
    "one annotation": (lambda: image(annotations={"a": "x" * 3_900_000}), 201),
    "layers": (lambda: image(*[b"{}"] * 20_000), 201),
    "members": (lambda: members(*[b"{}"] * 20_000), 201),
    "members that are not there": (lambda: members(*[b"%d" % number for number in range(20_000)]), 400),
    "names": (lambda: holding(",".join(f'"{number}":1' for number in range(200_000))), 201),
    "the same name": (lambda: holding(",".join(['"a":1'] * 200_000)), 400),
    "depth of lists": (lambda: holding('"a":' + "[" * 2_000_000 + "]" * 2_000_000), 400),
    "depth of objects": (lambda: holding('"a":' + '{"a":' * 500_000 + "1" + "}" * 500_000), 400),
    "width of levels": (lambda: holding('"a":[' + ",".join(["[[[[]]]]"] * 300_000) + "]"), 201),
    "a number": (lambda: holding('"a":' + "9" * 4_000_000), 400),
    "a fraction": (lambda: holding('"a":0.' + "9" * 4_000_000), 201),
    "too many bytes": (lambda: b" " * (4 << 20) + b"{}", 413),
}


@pytest.mark.parametrize("name", LARGE)
def test_much_of_anything_is_stored_or_refused(store: HttpStore, name: str) -> None:
    """As much as a manifest can hold, of one thing at a time."""
    make, status = LARGE[name]
    assert push(store, make()).status == status
