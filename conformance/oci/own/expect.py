"""What answers are held against: each function returns when the answer is right, and raises Failed when it is not."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from conformance.oci.own.check import Failed, NotOffered
from conformance.oci.own.registry import INDEX, Blob, Registry, Repository
from conformance.oci.own.wire import Reply

CODES = frozenset(
    {
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "SIZE_INVALID",
        "UNAUTHORIZED",
        "DENIED",
        "UNSUPPORTED",
        "TOOMANYREQUESTS",
    }
)
"""The specification's error codes, a closed list."""

PAGES_MAX = 200
_LINK = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


def demand(fulfilled: object, reply: Reply, wanted: str) -> None:
    """Fail with what was wanted of this answer, unless it is so."""
    if not fulfilled:
        raise Failed(f"{str(reply)[:400]}: {wanted}")


def status(reply: Reply, *allowed: int) -> Reply:
    """The answer has one of these statuses."""
    demand(reply.status in allowed, reply, f"wanted {' or '.join(map(str, allowed))}")
    return reply


def offered(reply: Reply, wanted: int, *declined: int) -> Reply:
    """The wanted status, or one by which a registry may decline."""
    if reply.status in declined:
        raise NotOffered(str(reply))
    return status(reply, wanted)


def header(reply: Reply, name: str, value: str) -> None:
    """One line of a header, with exactly this value."""
    demand(reply.lines(name) == [value], reply, f"wanted {name}: {value}, found {reply.lines(name)}")


def location(reply: Reply) -> str:
    """The one Location, as a full URL."""
    demand(len(reply.lines("location")) == 1, reply, "wanted one Location")
    return urljoin(reply.url, reply.lines("location")[0])


def pushed(reply: Reply, digest: str) -> str:
    """201 with the digest as it was given, and a Location, which is returned."""
    status(reply, 201)
    header(reply, "docker-content-digest", digest)
    return location(reply)


def plain(reply: Reply) -> None:
    """The body came as it is stored: under no coding of the transfer's own making."""
    demand(reply.header("content-encoding") is None, reply, "wanted no Content-Encoding")


def content(reply: Reply, body: bytes, digest: str, media_type: str | None = None) -> None:
    """200 with exactly these bytes, their length, their digest as it was asked for, and this type."""
    status(reply, 200)
    if reply.body != body:
        raise Failed(f"{reply.asked}: {len(reply.body)} bytes came that are not the {len(body)} pushed ones")
    described(reply, len(body), digest, media_type)


def described(reply: Reply, length: int, digest: str, media_type: str | None = None) -> None:
    """200, with the headers that a GET and a HEAD both have."""
    status(reply, 200)
    plain(reply)
    header(reply, "content-length", str(length))
    header(reply, "docker-content-digest", digest)
    if media_type is not None:
        header(reply, "content-type", media_type)


def bodiless(reply: Reply, length: int, digest: str, media_type: str | None = None) -> None:
    """As `described`, and nothing follows the headers."""
    described(reply, length, digest, media_type)
    demand(reply.body == b"", reply, "wanted no body")


def blob_there(repository: Repository, blob: Blob) -> None:
    """The blob can be pulled."""
    content(repository.get(f"blobs/{blob.digest}"), blob.data, blob.digest)


def gone(repository: Repository, *paths: str) -> None:
    """None of these is there, from now on."""
    for path in paths:
        status(repository.head(path), 404)


def error(reply: Reply, statuses: tuple[int, ...], codes: tuple[str, ...] = ()) -> None:
    """A refusal in the OCI form, with listed codes only, and one of `codes` first if there are any."""
    status(reply, *statuses)
    kind = (reply.header("content-type") or "").partition(";")[0].strip()
    demand(kind == "application/json", reply, f"wanted application/json, found {kind}")
    value = reply.json()
    demand(isinstance(value, dict) and value.get("errors"), reply, "wanted an object with errors")
    for entry in value["errors"]:
        demand(entry.get("code") in CODES, reply, f"{entry.get('code')} is no code of the specification")
        demand(isinstance(entry.get("message", ""), str), reply, "wanted a text as message")
    first = value["errors"][0]["code"]
    demand(not codes or first in codes, reply, f"wanted {' or '.join(codes)} as code, found {first}")


def index(reply: Reply) -> list[dict[str, Any]]:
    """200 with an image index, by header and by body; its descriptors."""
    status(reply, 200)
    header(reply, "content-type", INDEX)
    value = reply.json()
    demand(value.get("mediaType") == INDEX and value.get("schemaVersion") == 2, reply, "wanted an image index")
    demand(isinstance(value.get("manifests"), list), reply, "wanted a list of manifests")
    listed: list[dict[str, Any]] = value["manifests"]
    return listed


def tags(reply: Reply) -> list[str]:
    """200 with a tag list of that repository; its tags."""
    status(reply, 200)
    value = reply.json()
    demand(f"/v2/{value.get('name')}/tags/list" == urlsplit(reply.url).path, reply, "wanted the repository's name")
    demand(isinstance(value.get("tags"), list), reply, "wanted a list of tags")
    listed: list[str] = value["tags"]
    return listed


def ordered_tags(reply: Reply) -> list[str]:
    """As `tags`, in the order of bytes or in that of letters whatever their case (end-8a)."""
    listed = tags(reply)
    lowered = [tag.lower() for tag in listed]
    demand(listed == sorted(listed) or lowered == sorted(lowered), reply, "wanted tags in order")
    return listed


def following(reply: Reply) -> str | None:
    """The path and query of the next page, None at the end; a Link never leads to another host."""
    given = reply.header("link")
    if given is None:
        return None
    found = _LINK.fullmatch(given.strip())
    demand(found is not None, reply, f'wanted Link: <...>; rel="next", found {given}')
    url = urlsplit(urljoin(reply.url, found[1] if found else ""))
    demand(url.netloc == urlsplit(reply.url).netloc, reply, f"wanted a Link to the same host, found {given}")
    return f"{url.path}?{url.query}"


def all_pages(registry: Registry, target: str | None) -> list[Reply]:
    """A list's pages from `target` to the end."""
    replies: list[Reply] = []
    while target is not None:
        replies.append(registry.ask("GET", target))
        target = following(status(replies[-1], 200))
        demand(len(replies) < PAGES_MAX, replies[-1], f"wanted an end within {PAGES_MAX} pages")
    return replies


def same(found: object, wanted: object, reply: Reply) -> None:
    """Two values are equal; the report shows both."""
    if found != wanted:
        raise Failed(f"{reply.asked} -> {reply.status}: wanted {_shown(wanted)}, found {_shown(found)}")


def _shown(value: object) -> str:
    return json.dumps(value, default=str)[:300]
