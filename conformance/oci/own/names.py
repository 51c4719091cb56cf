"""Names of repositories, tags and digests: what has to be taken, and what must not be."""

from __future__ import annotations

from urllib.parse import quote

from conformance.oci.own import expect, samples, uploads
from conformance.oci.own.check import Group
from conformance.oci.own.registry import MANIFEST, Blob, Registry, Repository

NAMES = Group("names")
NAME_LENGTH_MAX = 255
"""What clients allow for host, slash and name together."""

GOOD_NAMES = (
    "a",
    "0",
    "a.b",
    "a_b",
    "a__b",
    "a-b",
    "a-----b",
    "a.b_c__d-e/f",
    "blobs",
    "manifests",
    "tags/list",
    "blobs/uploads",
    "a/blobs/uploads/b",
    "a/manifests/latest",
    "a/referrers/b",
    "a/tags/list",
    "v2",
)
BAD_NAMES = (
    "A",
    "aB",
    "-a",
    "a-",
    ".a",
    "a.",
    "_a",
    "a_",
    "a..b",
    "a._b",
    "a___b",
    "a//b",
    "a/",
    "a b",
    "a\n",
    "ä",
    "a:b",
    "\0",
)
GOOD_TAGS = ("a", "A", "0", "_", "_.-", "v1.0.0-rc.1_2", "latest", "list", "a" * 128)
BAD_TAGS = (".a", "-a", "a+b", "a b", "ä", "a\n", "a" * 129, "a%b", "@")


@NAMES.each([(name,) for name in GOOD_NAMES])
def repository(registry: Registry, name: str) -> None:
    """Every name of the grammar is a repository, also one that looks like a path of the API (end-3 to end-8a)."""
    takes_an_image(registry.repository(f"names/{name}"))


@NAMES.check
def longest_repository(registry: Registry) -> None:
    """A name that fills what clients allow for host and name, 255 characters, is taken (end-7a)."""
    start = registry.repository("")
    takes_an_image(registry.repository("a" * (NAME_LENGTH_MAX - len(f"{registry.host}/{start.name}"))))


def takes_an_image(where: Repository) -> None:
    """Blob, manifest and tag can be pushed, pulled and listed there."""
    uploads.bring(where, samples.EMPTY_OBJECT)
    body = samples.image()
    samples.put(where, "v1", body)
    expect.content(where.get("manifests/v1"), body, Blob(body).digest, MANIFEST)
    expect.blob_there(where, samples.EMPTY_OBJECT)
    reply = where.get("tags/list")
    expect.same(expect.tags(reply), ["v1"], reply)
    expect.same(expect.index(where.get(f"referrers/{Blob(body).digest}")), [], reply)


@NAMES.each([(name,) for name in BAD_NAMES])
def no_repository(registry: Registry, name: str) -> None:
    """What breaks the grammar of names is refused, never served and never a failure of the server (end-4a, end-8a)."""
    path = f"/v2/own-{registry.run}/{quote(name)}"
    expect.status(registry.ask("POST", f"{path}/blobs/uploads/"), 400, 404)
    expect.status(registry.ask("GET", f"{path}/tags/list"), 400, 404)
    expect.status(registry.ask("PUT", f"{path}/manifests/v1", samples.image(), {"Content-Type": MANIFEST}), 400, 404)


@NAMES.each([(tag,) for tag in GOOD_TAGS])
def tag(registry: Registry, name: str) -> None:
    """Every tag of the grammar can be set and read (end-7a, end-3)."""
    where, body = samples.stocked(registry, "names/tags"), samples.image()
    samples.put(where, name, body)
    expect.content(where.get(f"manifests/{name}"), body, Blob(body).digest, MANIFEST)


@NAMES.each([(tag,) for tag in BAD_TAGS])
def no_tag(registry: Registry, name: str) -> None:
    """What breaks the grammar of tags cannot be set, and is 404 when asked for (end-7a, end-3)."""
    where = samples.stocked(registry, "names/no-tags")
    expect.error(where.put_manifest(quote(name), samples.image()), (400, 404))
    expect.status(where.get(f"manifests/{quote(name)}"), 404)


@NAMES.check
def encoded_digest(registry: Registry) -> None:
    """A digest may come with its colon percent-encoded, in paths and in queries (end-2, end-3, end-6)."""
    where = samples.stocked(registry, "names/encoded")
    blob, body = registry.blob("encoded", 20), samples.image()
    digest = samples.put(where, "v1", body)
    target = f"{where.at}/blobs/uploads/?digest={blob.digest.replace(':', '%3A')}"
    expect.status(registry.ask("POST", target, blob.data), 201, 202)
    uploads.bring(where, blob)
    expect.content(where.get(f"blobs/{blob.digest.replace(':', '%3A')}"), blob.data, blob.digest)
    expect.content(where.get(f"manifests/{digest.replace(':', '%3A')}"), body, digest, MANIFEST)


@NAMES.check
def uploads_without_a_slash(registry: Registry) -> None:
    """`POST blobs/uploads` without the slash at its end opens an upload too, or is refused: no redirect (end-4a)."""
    reply = expect.status(registry.repository("names/slash").post("blobs/uploads"), 202, 404, 405)
    if reply.status == 202:
        expect.location(reply)
