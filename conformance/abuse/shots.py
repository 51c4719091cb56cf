"""One request as bytes, and what may be answered to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from conformance.abuse.client import Reply

Allowed = Mapping[int, frozenset[str]]
"""Status -> the codes that may come with it; an empty set is for a status that has no error body."""

NONE: frozenset[str] = frozenset()
PLAIN = frozenset({""})
"""What is refused below the routes is told in plain text, which has no code."""

IMAGE = "application/vnd.oci.image.manifest.v1+json"
HOST = b"Host: abuse\r\n"


@dataclass(frozen=True, slots=True)
class Shot:
    """One request.

    allowed  the answers that may come; one that leaves has none: any number may come, and any but a 5xx
    is_head  no body comes back
    ends     the server closes the connection after the answer
    drops    the client closes it after the answer: what the request lacks never comes
    leaves   the client sends no more after it, and takes what answers there are
    then     what the sender learns of the answer
    """

    kind: str
    data: bytes
    allowed: Allowed
    is_head: bool = False
    ends: bool = False
    drops: bool = False
    leaves: bool = False
    then: Callable[[Reply], None] | None = None


Kind = Callable[[Random, "World"], Shot]


@dataclass(frozen=True, slots=True)
class World:
    """What the server was given before: content that no refused request may touch.

    held        the repository that the state is read from
    uploads     addresses of uploads that stand at `offset`
    blobs       digest -> size
    manifest    the digest of the image that the tag `v1` names
    """

    held: str
    uploads: tuple[str, ...]
    offset: int
    blobs: Mapping[str, int]
    manifest: str

    def blob(self, random: Random) -> str:
        """The digest of one of the blobs."""
        return random.choice(list(self.blobs))


def allow(*answers: tuple[int, str], ok: tuple[int, ...] = ()) -> Allowed:
    """Statuses with the codes that each may have, several of them divided by blanks; and those without an error."""
    found = dict.fromkeys(ok, NONE)
    for status, codes in answers:
        found[status] = found.get(status, NONE) | frozenset(codes.split())
    return found


def request(method: str, target: str, body: bytes | None = None, *lines: str) -> bytes:
    """A request as it should be written; with a body (perhaps an empty one) it has a Content-Length."""
    head = [f"{method} {target} HTTP/1.1\r\nHost: abuse\r\n", *(f"{line}\r\n" for line in lines)]
    if body is not None:
        head.append(f"Content-Length: {len(body)}\r\n")
    return "".join([*head, "\r\n"]).encode("latin-1") + (body or b"")


def sha256(data: bytes) -> str:
    """A digest."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def octets(random: Random, most: int) -> bytes:
    """Random bytes, `most` of them at most."""
    return random.randbytes(random.randrange(most + 1))
