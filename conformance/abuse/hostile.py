"""Bytes that no client would send: two meanings, no meaning, no end; each is refused and ends its connection."""

from __future__ import annotations

from random import Random

from conformance.abuse.shots import HOST, PLAIN, Kind, Shot, World, allow, octets, request, sha256

GET = b"GET /v2/ HTTP/1.1\r\n"
HIDDEN = request("POST", f"/v2/hidden/blobs/uploads/?digest={sha256(b'')}", b"")
"""Is never to be carried out: it would make the repository `hidden`."""

HEADS = (
    b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    b"Content-Length: 0\r\nContent-Length: 5",
    b"Content-Length: 5, 5",
    b"Content-Length: -5",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length : 5",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding:\r\n chunked",
    b"X: y\r\n Content-Length: 5",
    b"X: y\nContent-Length: 5",
    b"X: y\x00z",
    b": y",
    b"X",
    b"Host: another",
)
STARTS = (
    b"GET /v2/\r\n\r\n",
    b"GET /v2/ HTTP/1.1\r\n\r\n",
    b"GET /v2/ HTTP/2.0\r\n\r\n",
    b"BREW /v2/ HTTP/1.1\r\n\r\n",
    b"CONNECT abuse:443 HTTP/1.1\r\nHost: abuse\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    bytes.fromhex("16030100c6010000c20303") + bytes(190),
    bytes(50),
)
CHUNKS = (b"-1\r\n", b"0x1\r\na\r\n", b"fffffffffffffffff\r\n", b"g\r\n", b"\r\n", b"1\r\nabc\r\n", b"0;a\n\r\n")


def two_meanings(random: Random, world: World) -> Shot:
    """A head that two readers could read in two ways, and a request hidden behind it."""
    data = b"POST /v2/hidden/blobs/uploads/ HTTP/1.1\r\n" + HOST + random.choice(HEADS) + b"\r\n\r\n0\r\n\r\n"
    return Shot("two meanings", data + HIDDEN, {400: PLAIN}, ends=True)


def no_http(random: Random, world: World) -> Shot:
    """Another protocol, another version, or no request at all."""
    start = random.choice(STARTS) if random.random() < 0.8 else b"\x80" + octets(random, 300) + b"\r\n\r\n"
    return Shot("no HTTP", start + HIDDEN, {400: PLAIN}, ends=True)


def broken_chunk(random: Random, world: World) -> Shot:
    """A chunked body that is broken."""
    target = f"/v2/hidden/blobs/uploads/?digest={sha256(b'')}"
    data = request("POST", target, None, "Transfer-Encoding: chunked") + random.choice(CHUNKS)
    return Shot("broken chunk", data + HIDDEN, {400: PLAIN}, ends=True)


def large_head(random: Random, world: World) -> Shot:
    """A target or headers beyond the limit."""
    if random.random() < 0.5:
        return Shot("large head", request("GET", "/v2/" + "a" * 40_000), {414: PLAIN}, ends=True)
    lines = [f"X-{number}: {'y' * 60}" for number in range(1000)]
    return Shot("large head", request("GET", "/v2/", None, *lines), {431: PLAIN}, ends=True)


def hidden_in_body(random: Random, world: World) -> Shot:
    """A body where none belongs, which looks like a request."""
    if random.random() < 0.5:
        return Shot("hidden in a body", request("GET", "/v2/", HIDDEN * random.randrange(1, 4)), allow(ok=(200,)))
    data = (
        request("GET", "/v2/", None, "Transfer-Encoding: chunked") + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"
    )
    return Shot("hidden in a body", data, allow(ok=(200,)))


def expects(random: Random, world: World) -> Shot:
    """A body that waits to be asked for, in vain: the refusal comes without 100 and ends the connection."""
    data = request("PATCH", f"/v2/{world.held}/blobs/uploads/none", None, "Content-Length: 9", "Expect: 100-continue")
    return Shot("expects 100", data, allow((404, "BLOB_UPLOAD_UNKNOWN")), ends=True)


def mutated(random: Random, world: World) -> Shot:
    """A sound GET with some bytes changed, put in or taken out: whatever it became, nothing may change by it."""
    targets = (
        "/v2/_catalog?n=5",
        f"/v2/{world.held}/tags/list",
        f"/v2/{world.held}/manifests/v1",
        "/api/v1/packages?n=2",
    )
    lines = ("Range: bytes=0-5", "Accept: */*", "If-None-Match: *", "Content-Length: 0", "Connection: keep-alive")
    data = bytearray(request("GET", random.choice(targets), None, *random.sample(lines, 2)))
    for _ in range(random.randrange(1, 6)):
        place = random.randrange(3, len(data))  # the method stays, or GET could become another
        data[place : place + random.randrange(3)] = octets(random, 2)
    return Shot("mutated", bytes(data), {}, leaves=True)


def cut_off(random: Random, world: World) -> Shot:
    """A request that stops anywhere."""
    data = request(
        "PUT", f"/v2/{world.held}/manifests/cut", b"x" * 100, "Expect: x", "X: " + "y" * random.randrange(500)
    )
    return Shot("cut off", data[: random.randrange(1, len(data))], {}, leaves=True)


KINDS: tuple[Kind, ...] = (
    two_meanings,
    no_http,
    broken_chunk,
    large_head,
    hidden_in_body,
    expects,
    mutated,
    cut_off,
)
