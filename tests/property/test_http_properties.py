"""Any request at all has an answer that its specification knows; the server never fails, a refusal changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.property.asgi_store import Headers, HttpStore, http_store

UNHURRIED = settings(deadline=None, max_examples=100)

BLOB = bytes(range(256)) * 4
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"])
ROUTES = f"""v2 api v1 blobs uploads manifests tags list referrers _oci _catalog ext discover repositories tag-history
packages files manifest events health live ready openapi.json held a held:v1 v1 .. . {DIGEST} held@{DIGEST}"""
WORDS = st.sampled_from(ROUTES.split())
TARGETS = (
    "/v2/_catalog",
    "/v2/held/tags/list",
    f"/v2/held/referrers/{DIGEST}",
    "/v2/held/_oci/tag-history/v1",
    "/v2/_oci/repositories",
    "/v2/held/_oci/repositories",
    "/api/v1/packages",
    "/api/v1/packages/held:v1/files",
    "/api/v1/packages/held:v1/referrers",
    "/api/v1/repositories",
    "/api/v1/events",
)
TEXTS = st.text(max_size=20)
SEGMENTS = st.one_of(WORDS, WORDS, WORDS, TEXTS, st.binary(max_size=8).map(quote_from_bytes))
VALUES = st.binary(max_size=60).map(lambda data: bytes(byte for byte in data if byte >= 32 and byte != 127))
NUMBERS = st.one_of(st.integers(-(10**30), 10**30).map(str), st.sampled_from(["", "0", "1e3", "-0", "٣", "0x1", "1.0"]))
NAMED = """n last digest mount from digest-algorithm tag artifactType after before since cursor kind repository members
attachments payload log wait x"""
PARAMETERS = st.sampled_from(NAMED.split())
QUERIES = st.one_of(
    st.binary(max_size=40).map(lambda data: quote_from_bytes(data, safe="&=%;+").encode()),
    st.lists(st.tuples(PARAMETERS, st.one_of(NUMBERS, TEXTS, st.just(DIGEST))), max_size=4).map(
        lambda pairs: "&".join(f"{name}={quote(value)}" for name, value in pairs).encode()
    ),
    st.sampled_from(
        [b"n=1" + b"&n=1" * 1000, b"a=" + b"b" * 40_000, b"last=%ff", b"n=%00", b"&&==&", b"%", b"kind=%ED%A0%80"]
    ),
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"accept",
                b"range",
                b"if-range",
                b"if-none-match",
                b"content-range",
                b"content-type",
                b"x",
                b"expect",
                b"host",
            ]
        ),
        st.one_of(VALUES, st.just(b""), st.just(b"\xe9" * 9000), st.just(b"," * 9000), st.just(b"bytes=0-1")),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def store() -> Iterator[HttpStore]:
    """A store with one blob, one tag on one manifest, all in the repository `held`."""
    with http_store() as opened:
        assert opened.ask("POST", "/v2/held/blobs/uploads/", BLOB, query=f"digest={DIGEST}".encode()).status == 201
        assert opened.ask("PUT", "/v2/held/manifests/v1", b'{"schemaVersion":2,"layers":[]}').status == 201
        yield opened


@UNHURRIED
@given(METHODS, st.lists(SEGMENTS, max_size=8), QUERIES, HEADERS, st.binary(max_size=50))
@example("GET", ["v2", "a" * 300, "tags", "list"], b"", [], b"")
@example("GET", ["v2", "\x00", "manifests", "\x00"], b"", [], b"")
@example("PATCH", ["v2", "held", "blobs", "uploads", "\x00"], b"", [], b"")
@example("GET", ["api", "v1", "packages", "held:v1", "files", "\x00"], b"", [], b"")
def test_any_request_has_an_answer(
    store: HttpStore, method: str, segments: list[str], query: bytes, headers: Headers, body: bytes
) -> None:
    """Whatever method, path, query, headers and body: success, 304 or a 4xx in the form of its side, with its code."""
    store.ask(
        method, "/" + "/".join(quote(segment, safe="%:@") for segment in segments), body, query=query, headers=headers
    )


@UNHURRIED
@given(st.sampled_from(TARGETS), QUERIES)
def test_any_query_has_an_answer(store: HttpStore, target: str, query: bytes) -> None:
    """Whatever is asked of a list: 200, 400 for what makes no sense, 409 for a cursor of another log."""
    assert store.ask("GET", target, query=query).status in (200, 400, 409)


@UNHURRIED
@given(QUERIES, st.sampled_from(["PUT", "POST"]))
def test_any_query_of_a_push_has_an_answer(store: HttpStore, query: bytes, method: str) -> None:
    """Whatever goes with a blob or a manifest: it is taken or refused, and a refusal stores nothing."""
    name = store.fresh()
    target = f"/v2/{name}/manifests/v1" if method == "PUT" else f"/v2/{name}/blobs/uploads/"
    reply = store.ask(method, target, b'{"schemaVersion":2,"layers":[]}', query=query)
    if reply.status >= 400:
        assert store.ask("GET", f"/v2/{name}/tags/list").status == 404


@UNHURRIED
@given(st.one_of(TEXTS, st.from_regex(r"[a-z0-9._/-]{1,300}", fullmatch=True)), METHODS)
def test_a_repository_has_a_name_or_is_refused(store: HttpStore, name: str, method: str) -> None:
    """Any text in a repository's place: 404 for a name that is none of ours, 400 with NAME_INVALID for what is none."""
    reply = store.ask("GET", f"/v2/{quote(name)}/tags/list")
    assert reply.status in (200, 404) or (reply.status, reply.code) == (400, "NAME_INVALID")


@UNHURRIED
@given(st.one_of(TEXTS, st.from_regex(r"[A-Za-z0-9_.-]{1,140}", fullmatch=True)))
def test_a_tag_is_set_or_refused(store: HttpStore, tag: str) -> None:
    """What cannot be a tag is refused when it is set, and unknown when it is asked for."""
    assume("/" not in tag and tag)
    named = f"/v2/{store.fresh()}/manifests/{quote(tag, safe='')}"
    pushed = store.ask("PUT", named, b'{"schemaVersion":2,"layers":[]}')
    assert pushed.status == 201 or pushed.code in ("MANIFEST_INVALID", "DIGEST_INVALID")
    assert store.ask("GET", named).status == (200 if pushed.status == 201 else 400 if ":" in tag else 404) or ":" in tag


@UNHURRIED
@given(
    st.one_of(TEXTS, st.from_regex(r"(sha256|sha512|blake3|md5|[a-z+.]{1,5}):[0-9a-zA-Z=_-]{0,140}", fullmatch=True))
)
def test_a_digest_is_one_or_refused(store: HttpStore, text: str) -> None:
    """Any text in a digest's place: nothing is stored under what it does not name."""
    assume("/" not in text and text != "uploads" and text)
    reply = store.ask("GET", f"/v2/held/blobs/{quote(text, safe='')}")
    assert reply.status == 404 or (reply.status, reply.code) == (400, "DIGEST_INVALID")
    pushed = store.ask("POST", f"/v2/{store.fresh()}/blobs/uploads/", b"x", query=b"digest=" + quote(text).encode())
    assert (pushed.status, pushed.code) == (400, "DIGEST_INVALID")


SPANS = st.one_of(
    VALUES,
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: f"bytes={ends[0]}-{ends[1]}".encode()),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000)), max_size=5).map(
        lambda spans: b"bytes=" + b",".join(b"%d-%d" % span for span in spans)
    ),
)


@UNHURRIED
@given(SPANS, st.one_of(st.none(), VALUES))
def test_a_range_is_served_ignored_or_refused(store: HttpStore, asked: bytes, condition: bytes | None) -> None:
    """The whole blob, the part that Content-Range names, several of them, or 416 with the size."""
    headers = [(b"range", asked)] + ([] if condition is None else [(b"if-range", condition)])
    reply = store.ask("GET", f"/v2/held/blobs/{DIGEST}", headers=headers)
    where = reply.header(b"content-range")
    if reply.status == 206 and where:
        first, last = map(int, where.removeprefix(b"bytes ").partition(b"/")[0].split(b"-"))
        assert reply.body == BLOB[first : last + 1]
    elif reply.status == 206:
        assert reply.header(b"content-type").startswith(b"multipart/byteranges")
    elif reply.status == 416:
        assert (where, reply.code) == (b"bytes */%d" % len(BLOB), "SIZE_INVALID")
    else:
        assert (reply.status, reply.body) == (200, BLOB)


@UNHURRIED
@given(st.integers(0, 1500), st.integers(0, 1500))
def test_one_range_is_exact(store: HttpStore, first: int, last: int) -> None:
    """`first` to `last`, clamped to what there is, or 416 where that is nothing."""
    reply = store.ask("GET", f"/v2/held/blobs/{DIGEST}", headers=[(b"range", b"bytes=%d-%d" % (first, last))])
    expected = BLOB[first : last + 1]
    assert (reply.status, reply.body) == (206, expected) if expected else reply.status == 416


PLACES = st.one_of(
    st.none(),
    VALUES,
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda ends: b"%d-%d" % ends),
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: f"{ends[0]}-{ends[1]}".encode()),
)
LENGTHS = st.one_of(
    st.none(), st.none(), st.integers(0, 8).map(lambda size: b"%d" % size), NUMBERS.map(str.encode), VALUES
)


@UNHURRIED
@given(st.lists(st.tuples(PLACES, LENGTHS, st.lists(st.binary(max_size=5), max_size=3)), max_size=4))
def test_a_chunk_is_taken_whole_or_not_at_all(
    store: HttpStore, chunks: list[tuple[bytes | None, bytes | None, list[bytes]]]
) -> None:
    """Whatever Content-Range and Content-Length say: 202 adds the bytes, a refusal leaves the upload as it was."""
    at = store.ask("POST", f"/v2/{store.fresh()}/blobs/uploads/").header(b"location").decode()
    held = b""
    for place, length, parts in chunks:
        headers = [(b"content-range", place)] if place is not None else []
        headers += [(b"content-length", length)] if length is not None else []
        reply = store.ask("PATCH", at, *parts, headers=headers)
        if reply.status == 202:
            held += b"".join(parts)
        else:
            assert reply.code in ("BLOB_UPLOAD_INVALID", "SIZE_INVALID", "UNSUPPORTED")
        assert store.ask("GET", at).header(b"range") == b"0-%d" % max(0, len(held) - 1)
    named = f"sha256:{hashlib.sha256(held).hexdigest()}"
    assert store.ask("PUT", at, query=f"digest={named}".encode()).status == 201


@UNHURRIED
@given(
    HEADERS,
    st.sampled_from(["/api/v1/events", "/v2/_catalog", "/api/v1/packages", "/health/live", f"/v2/held/blobs/{DIGEST}"]),
)
def test_headers_change_no_more_than_they_may(store: HttpStore, headers: Headers, path: str) -> None:
    """Repeated, empty, huge or in no encoding: ignored, 304, 206, 406 or 416, and nothing else."""
    assert store.ask("GET", path, headers=headers).status in (200, 206, 304, 406, 416)
