"""Requests that must be refused, whatever the server holds: names, digests, ranges, queries, manifests, bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from conformance.abuse.shots import IMAGE, Kind, Shot, World, allow, octets, request, sha256

AS_IMAGE = f"Content-Type: {IMAGE}"
ZERO = f"sha256:{'0' * 64}"
UNKNOWN = allow((404, "NAME_UNKNOWN MANIFEST_UNKNOWN BLOB_UNKNOWN BLOB_UPLOAD_UNKNOWN UNSUPPORTED"))
NAMES = ("A", "a//b", "a__b", "a..b", "-a", "a-", "%00", "%ff%fe", "a%0d%0ab", "a/../b", "a" * 256, "é", "a b", "a%2Fb")
TAGS = (".v1", "-v", "v" * 129, "v%00", "%c3%a9", "v!", "v%20w", "v%2F1", "%e2%80%ae")
DIGESTS = ("sha256:", "sha256:short", f"sha256:{'A' * 64}", "md5:00", "x:y", f"sha512:{'0' * 64}", "sha256:%00", "::")
NUMBERS = ("-1", "1.5", "1e3", "abc", "0x10", "9" * 30, "%31%", "+", "%00", "%D9%A1", "1 2", "NaN", "∞")
PLACES = ("bytes 0-4", "4-0", "a-b", "-", "0-", "7-9", "1-3", "99999999999999999999-5", "0-4/5", "5-9,10-14", "-5--1")
RANGES = ("bytes=999999999-", "bytes=5-1", "bytes=99999999-999999999", "bytes=-0")
METHODS = ("POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LINK", "PURGE")
PATHS = (
    "/",
    "/v1/",
    "/v2x",
    "/v2/x",
    "//v2/",
    "/v2/%2e%2e/etc",
    "/..%2f..%2fetc/passwd",
    "/api/v1/",
    "/api/v2/x",
    "/*",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    1e308,
    2**53,
    10**40,
    "",
    "\x00",
    "\ud800",
    [],
    {},
    [[]],
    {"": {}},
    "x" * 999,
)
OCI_QUERIES = (
    "/v2/_catalog?n={number}",
    "/v2/{held}/tags/list?n={number}",
    "/v2/_catalog?n=1&last=%ff",
    "/v2/_catalog?" + "a&" * 1001,
    "/v2/{held}/_oci/tag-history/v1?before={number}",
)
NATIVE_QUERIES = (
    "/api/v1/packages?n={number}",
    "/api/v1/packages?n=1&n=2",
    "/api/v1/packages?cursor={number}",
    "/api/v1/packages?digest=x",
    "/api/v1/packages?members=maybe",
    "/api/v1/packages?repository=%ff",
    "/api/v1/packages?unknown=1",
    "/api/v1/events?after={number}",
    "/api/v1/events?payload=all",
    "/health?a=b",
)
FIELDS = ("schemaVersion", "mediaType", "config", "layers", "subject", "annotations", "artifactType", "manifests")


def bad_name(random: Random, world: World) -> Shot:
    """A repository name that breaks the grammar, or names nothing."""
    tail = random.choice(
        (f"manifests/v{random.randrange(99)}", "tags/list", f"blobs/{ZERO}", f"blobs/uploads/{'0' * 32}")
    )
    name = "".join(random.choices(NAMES, k=random.randrange(1, 3)))
    allowed = {**UNKNOWN, 400: frozenset({"NAME_INVALID"})}
    return Shot("bad name", request("GET", f"/v2/{_sent(name)}/{tail}"), allowed)


def bad_tag(random: Random, world: World) -> Shot:
    """A tag that cannot be set; asked for, it is unknown."""
    target, tag = f"/v2/{world.held}/manifests/", random.choice(TAGS)
    if random.random() < 0.5:
        return Shot("bad tag", request("GET", target + tag), UNKNOWN)
    return Shot("bad tag", request("PUT", target + tag, b"{}"), allow((400, "MANIFEST_INVALID"), (404, "UNSUPPORTED")))


def bad_digest(random: Random, world: World) -> Shot:
    """A digest that is none, or not of the bytes."""
    digest = random.choice(DIGESTS)
    allowed = {**UNKNOWN, 400: frozenset({"DIGEST_INVALID"})}
    at, kind = f"/v2/{world.held}", random.randrange(5)
    if kind == 0:
        data = octets(random, 200) + b"."
        return Shot("bad digest", request("POST", f"{at}/blobs/uploads/?digest={ZERO}", data), allowed)
    if kind == 1:
        return Shot("bad digest", request("PUT", f"{at}/manifests/{ZERO}", _image(), AS_IMAGE), allowed)
    if kind == 2:
        target = f"{random.choice(world.uploads)}?digest={digest}"
        return Shot("bad digest", request("PUT", target, b"more"), allowed)
    if kind == 3:
        return Shot(
            "bad digest", request("POST", f"{at}/blobs/uploads/?mount={digest}&from={world.held}", b""), allowed
        )
    return Shot("bad digest", request("GET", f"{at}/{random.choice(('blobs', 'manifests'))}/{digest}"), allowed)


def bad_place(random: Random, world: World) -> Shot:
    """A chunk that does not begin where the upload stands, or is not as long as it says."""
    allowed = allow((416, "BLOB_UPLOAD_INVALID"), (400, "SIZE_INVALID"))
    target, method = random.choice(world.uploads), "PATCH"
    if random.random() < 0.3:
        target, method = f"{target}?digest={ZERO}", "PUT"
    return Shot("bad place", request(method, target, b"12345", f"Content-Range: {random.choice(PLACES)}"), allowed)


def unknown_upload(random: Random, world: World) -> Shot:
    """An upload that never was."""
    name = random.choice(
        ("%00", "..", "%2e%2e", "x" * 2000, f"{random.getrandbits(128):032x}", "'; drop table uploads")
    )
    target = f"/v2/{world.held}/blobs/uploads/{_sent(name)}"
    method = random.choice(("GET", "PATCH", "DELETE", "PUT"))
    body = None if method in ("GET", "DELETE") else octets(random, 5000)
    return Shot("unknown upload", request(method, target + f"?digest={ZERO}" * (method == "PUT"), body), UNKNOWN)


def bad_query(random: Random, world: World) -> Shot:
    """A query that makes no sense."""
    number = _sent(random.choice(NUMBERS))
    if random.random() < 0.4:
        target = random.choice(OCI_QUERIES).format(held=world.held, number=number)
        return Shot("bad query", request("GET", target), allow((400, "UNSUPPORTED")))
    target = random.choice(NATIVE_QUERIES).format(number=number)
    return Shot("bad query", request("GET", target), allow((400, "PARAMETER_INVALID")))


def bad_package(random: Random, world: World) -> Shot:
    """A package or file that is none."""
    name = random.choice(
        (f"{world.held}:none", f"{world.held}@{ZERO}", "A:v1", "a@x", "a:%00", f"{world.held}:v1/files/%00")
    )
    name += random.choice(("", "", "/files", "/manifest", "/referrers", "/files/../../x", "/x"))
    codes = "MANIFEST_UNKNOWN NAME_UNKNOWN FILE_UNKNOWN NOT_FOUND"
    allowed = allow((404, codes), (400, "NAME_INVALID DIGEST_INVALID"))
    return Shot("bad package", request("GET", f"/api/v1/packages/{name}"), allowed)


def not_offered(random: Random, world: World) -> Shot:
    """A method that is not offered there."""
    targets = ("/v2/", "/v2/_catalog", f"/v2/{world.held}/tags/list", f"/v2/{world.held}/referrers/{ZERO}")
    body = octets(random, 3000) if random.random() < 0.5 else None
    if random.random() < 0.5:
        data = request(random.choice(METHODS), random.choice(targets), body)
        return Shot("not offered", data, allow((405, "UNSUPPORTED")))
    data = request(random.choice(METHODS), random.choice(("/health", "/api/v1/events", "/api/v1/packages")), body)
    return Shot("not offered", data, allow((405, "UNSUPPORTED")))


def no_route(random: Random, world: World) -> Shot:
    """A path that leads nowhere."""
    method = random.choice(("GET", "HEAD", "DELETE", "POST"))
    data = request(method, random.choice(PATHS) + random.choice(("", "?a=b", "%00", "/" * 50)))
    return Shot("no route", data, allow((404, "UNSUPPORTED NOT_FOUND"), (405, "UNSUPPORTED")), is_head=method == "HEAD")


def bad_range(random: Random, world: World) -> Shot:
    """A range of which no byte exists."""
    data = request("GET", f"/v2/{world.held}/blobs/{world.blob(random)}", None, f"Range: {random.choice(RANGES)}")
    return Shot("bad range", data, allow((416, "SIZE_INVALID")))


def not_acceptable(random: Random, world: World) -> Shot:
    """A form that is not on offer, and a cursor that is not of this log."""
    if random.random() < 0.5:
        data = request("GET", "/api/v1/events", None, "Accept: image/png, text/html;q=0.5, */*;q=0")
        return Shot("not acceptable", data, allow((406, "NOT_ACCEPTABLE")))
    target = random.choice(("/api/v1/events?after=999999999999", "/api/v1/events?log=other"))
    return Shot("not acceptable", request("GET", target), allow((409, "LOG_REWOUND")))


def bad_manifest(random: Random, world: World) -> Shot:
    """JSON that is no manifest, or one that names what is not there; pushed by a digest that it cannot have."""
    body = random.choice((_odd_json, _odd_field, _odd_bytes, _missing))(random)
    allowed = allow((400, "MANIFEST_INVALID MANIFEST_BLOB_UNKNOWN DIGEST_INVALID"))
    return Shot("bad manifest", request("PUT", f"/v2/{world.held}/manifests/{ZERO}", body, AS_IMAGE), allowed)


def too_large(random: Random, world: World) -> Shot:
    """A manifest or a blob that is announced to be larger than any may be; it never comes."""
    length = random.choice((5 << 20, 1 << 41, (1 << 64) - 1))
    target = f"/v2/{world.held}/manifests/large"
    data = request("PUT", target, None, f"Content-Length: {length}", AS_IMAGE)
    return Shot("too large", data, allow((413, "SIZE_INVALID")), drops=True)


def breaks_off(random: Random, world: World) -> Shot:
    """A body that stops in the middle, and the end of the connection: there is nobody to answer."""
    data = octets(random, 3000) + b"the rest"
    whole = (
        request("POST", f"/v2/{world.held}/blobs/uploads/?digest={sha256(data)}", data),
        request("PUT", f"/v2/{world.held}/manifests/half", _image(), AS_IMAGE),
    )
    return Shot("breaks off", random.choice(whole)[: -random.randrange(1, 8)], {}, leaves=True)


def _image(**fields: Any) -> bytes:
    """A manifest; names a config that the repository does not hold unless told otherwise."""
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": ZERO, "size": 2}
    return json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [], **fields}).encode()


def _odd_json(random: Random) -> bytes:
    depth = random.choice((65, 200, 5000, 100_000))
    return random.choice(
        (
            b"[" * depth + b"]" * depth,
            b'{"a":' * depth + b"1" + b"}" * depth,
            b'{"schemaVersion":2,"schemaVersion":2}',
            b'{"schemaVersion":NaN}',
            b'{"schemaVersion":1e999}',
            b'{"schemaVersion":' + b"9" * 5000 + b"}",
            b'{"schemaVersion":2.0}',
            b'{"a":"\\ud800"}',
            b'{"a":"\\u0000"}',
            b"\xef\xbb\xbf{}",
            b'{"a":"\xff"}',
            b"{}",
            b"",
            b"null",
            b'{"schemaVersion":2}garbage',
        )
    )


def _odd_field(random: Random) -> bytes:
    fields: Mapping[str, Any] = {name: random.choice(VALUES) for name in random.sample(FIELDS, random.randrange(1, 4))}
    return _image(**fields)


def _odd_bytes(random: Random) -> bytes:
    body = bytearray(_image())
    for _ in range(random.randrange(1, 6)):
        body[random.randrange(len(body))] = random.randrange(256)
    return bytes(body)


def _missing(random: Random) -> bytes:
    layer = {"mediaType": "a/b", "digest": sha256(random.randbytes(8)), "size": random.randrange(9)}
    return _image(layers=[layer] * random.choice((1, 10, 500)))


def _sent(text: str) -> str:
    """Text as a request target can carry it: blanks escaped, everything beyond Latin-1 as UTF-8."""
    return text.replace(" ", "%20").encode().decode("latin-1") if text.isascii() else _escaped(text)


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


KINDS: tuple[Kind, ...] = (
    bad_name,
    bad_tag,
    bad_digest,
    bad_place,
    unknown_upload,
    bad_query,
    bad_package,
    not_offered,
    no_route,
    bad_range,
    not_acceptable,
    bad_manifest,
    too_large,
    breaks_off,
)
