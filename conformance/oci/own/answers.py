"""What answers carry: HEAD equal to GET, types without parameters, bytes without codings, whatever is accepted."""

from __future__ import annotations

import gzip

from conformance.oci.own import expect, samples, uploads
from conformance.oci.own.check import Group, NotOffered
from conformance.oci.own.registry import INDEX, MANIFEST, Blob, Registry, Repository

ANSWERS = Group("answers")
SAME = ("content-type", "content-length", "docker-content-digest", "etag", "accept-ranges", "last-modified")
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ACCEPTS: tuple[tuple[str, str | list[str]], ...] = (
    ("everything", "*/*"),
    ("the type", MANIFEST),
    ("another type", INDEX),
    ("docker's type", "application/vnd.docker.distribution.manifest.v2+json"),
    ("schema 1", "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ("pages for people", "text/html, application/xhtml+xml"),
    ("nothing", "application/json;q=0, */*;q=0"),
    ("no words at all", ", ;;"),
    ("several lines", ["application/vnd.docker.distribution.manifest.v2+json", MANIFEST, INDEX, "*/*"]),
)


def stocked(registry: Registry) -> tuple[Repository, bytes]:
    """A repository with one tagged image; the manifest, long enough to be worth compressing."""
    body = samples.image(annotations=samples.unlike(registry, "answers") | {"long": "x" * 5000})
    repository = samples.stocked(registry, "answers")
    samples.put(repository, "v1", body)
    return repository, body


@ANSWERS.each(
    [("tag (end-3)", "manifests/v1"), ("digest (end-3)", "manifests/{manifest}"), ("blob (end-2)", "blobs/{blob}")]
)
def head_equals_get(registry: Registry, name: str, path: str) -> None:
    """HEAD and GET of the same have the same headers (end-2, end-3)."""
    repository, body = stocked(registry)
    path = path.format(manifest=Blob(body).digest, blob=samples.EMPTY_OBJECT.digest)
    head, get = repository.head(path), repository.get(path)
    expect.same({key: head.lines(key) for key in SAME}, {key: get.lines(key) for key in SAME}, head)


@ANSWERS.each(ACCEPTS)
def accepting(registry: Registry, name: str, accept: str | list[str]) -> None:
    """Whatever Accept says, in one line or several, the manifest comes as it was pushed (end-3)."""
    repository, body = stocked(registry)
    reply = repository.get("manifests/v1", accept=accept)
    expect.content(reply, body, Blob(body).digest, MANIFEST)
    expect.bodiless(repository.head("manifests/v1", accept=accept), len(body), Blob(body).digest, MANIFEST)


@ANSWERS.each([("gzip",), ("gzip, deflate, br, zstd",), ("*",), ("identity;q=0, gzip",)])
def accepting_codings(registry: Registry, codings: str) -> None:
    """Manifests and blobs come without a Content-Encoding, whatever codings are accepted (end-2, end-3)."""
    repository, body = stocked(registry)
    expect.content(repository.get("manifests/v1", accept_encoding=codings), body, Blob(body).digest, MANIFEST)
    reply = repository.get(f"blobs/{samples.EMPTY_OBJECT.digest}", accept_encoding=codings)
    expect.content(reply, b"{}", samples.EMPTY_OBJECT.digest)


@ANSWERS.check
def stored_gzip(registry: Registry) -> None:
    """A blob that is gzip in itself is not said to be encoded, or clients would decode it (end-2)."""
    repository, blob = registry.repository("answers"), Blob(gzip.compress(registry.blob("gzip", 100).data))
    uploads.bring(repository, blob)
    expect.blob_there(repository, blob)


@ANSWERS.each(
    [
        ("/v2/ (end-1)", "/v2/"),
        ("tags (end-8a)", "{at}/tags/list"),
        ("manifest (end-3)", "{at}/manifests/v1"),
        ("referrers (end-12a)", "{at}/referrers/{digest}"),
        ("error (end-3)", "{at}/manifests/unknown"),
    ]
)
def no_charset(registry: Registry, name: str, path: str) -> None:
    """Content-Type has no parameters: JSON is UTF-8, and clients compare the whole header (end-1 to end-12)."""
    repository, body = stocked(registry)
    reply = registry.ask("GET", path.format(at=repository.at, digest=Blob(body).digest))
    kind = reply.header("content-type") or ""
    expect.demand("json" in kind and ";" not in kind, reply, f"wanted a JSON type alone, found {kind}")


@ANSWERS.check
def entity_tags(registry: Registry) -> None:
    """If there is an ETag, If-None-Match with it is 304, with the digest, and with another it is 200 (end-2, end-3)."""
    repository, _ = stocked(registry)
    for path in ("manifests/v1", f"blobs/{samples.EMPTY_OBJECT.digest}"):
        reply = repository.get(path)
        known = reply.header("etag")
        if known is None:
            raise NotOffered(f"{reply.asked}: no ETag")
        same = expect.status(repository.get(path, if_none_match=known), 304)
        expect.header(same, "etag", known)
        expect.status(repository.get(path, if_none_match='"another"'), 200)


@ANSWERS.check
def proxied_namespace(registry: Registry) -> None:
    """`ns`, which clients send to proxies, does not disturb a registry that is none (end-2, end-3)."""
    repository, body = stocked(registry)
    expect.content(repository.get("manifests/v1?ns=docker.io"), body, Blob(body).digest, MANIFEST)
    reply = repository.get(f"blobs/{samples.EMPTY_OBJECT.digest}?ns=docker.io")
    expect.content(reply, b"{}", samples.EMPTY_OBJECT.digest)


@ANSWERS.check
def locations_of_the_same_host(registry: Registry) -> None:
    """Locations lead to the registry that was asked, as a path or with its own host (end-4a, end-6, end-7a)."""
    repository, body = stocked(registry)
    replies = [
        repository.post("blobs/uploads/"),
        uploads.post_then_put(repository, samples.EMPTY_OBJECT),
        repository.put_manifest("v1", body),
    ]
    for reply in replies:
        found = expect.location(reply)
        expect.demand(found.startswith(f"{registry.wire.base}/v2/"), reply, f"found {found}")
