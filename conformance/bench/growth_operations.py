"""What is measured on a small and on a large store: one request each, whose answer is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from conformance.bench import growth_store as held
from conformance.bench.growth_store import Shape
from conformance.bench.line import Line, Reply, WrongAnswer

TAGS, NAMES, REFERRERS, PACKAGES = 50, 20, 5, 10
"""Entries in a page: no more than the small store has, so that both stores answer with the same number of bytes."""

STEP = 7919
"""A prime: turns spread over a store without pattern."""

AT = f"/v2/{held.MAIN}"
NATIVE = f"/api/v1/packages/{held.MAIN}"


@dataclass
class Store:
    """A filled store behind its server; `cursors` are where its pages of referrers go on."""

    shape: Shape
    line: Line
    cursors: dict[str, str] = field(default_factory=dict)

    def spread(self, turn: int, of: int) -> int:
        """A number below `of`, another one each turn."""
        return turn * STEP % of

    def get(self, path: str) -> Reply:
        """GET what must be there."""
        return self.line.ask("GET", path, 200)

    def put(self, reference: str, body: bytes) -> Reply:
        """Push a manifest to the main repository."""
        return self.line.ask("PUT", f"{AT}/manifests/{reference}", 201, body, held.MANIFEST)

    def is_gone(self, reference: str) -> None:
        """The main repository has no such manifest or tag any more."""
        self.line.ask("HEAD", f"{AT}/manifests/{reference}", 404)


def demand(holds: bool, what: str) -> None:
    """Raises WrongAnswer unless it holds."""
    if not holds:
        raise WrongAnswer(what)


def get_by_tag(store: Store, turn: int) -> float:
    """GET of a manifest by one of ten tags."""
    number = (turn % 10) * store.shape.tags // 10
    reply = store.get(f"{AT}/manifests/{held.tag(number)}")
    demand(reply.body == held.package(number // held.TAGS_A_PACKAGE), "another manifest came")
    return reply.seconds


def head_by_tag(store: Store, turn: int) -> float:
    """HEAD of a manifest by another tag each time."""
    number = store.spread(turn, store.shape.tags)
    reply = store.line.ask("HEAD", f"{AT}/manifests/{held.tag(number)}", 200)
    expected = held.digest(held.package(number // held.TAGS_A_PACKAGE))
    demand(reply.header("docker-content-digest") == expected, "another digest was told")
    return reply.seconds


def _tags(store: Store, first: int) -> float:
    last = f"&last={held.tag(first - 1)}" if first else ""
    reply = store.get(f"{AT}/tags/list?n={TAGS}{last}")
    demand(reply.json["tags"] == [held.tag(n) for n in range(first, first + TAGS)], "another page of tags came")
    return reply.seconds


def tags_first(store: Store, turn: int) -> float:
    """The first page of tags."""
    return _tags(store, 0)


def tags_middle(store: Store, turn: int) -> float:
    """A page from the middle of all tags."""
    return _tags(store, min(store.shape.tags // 2, store.shape.tags - TAGS))


def tags_last(store: Store, turn: int) -> float:
    """The last page of tags."""
    return _tags(store, store.shape.tags - TAGS)


def tag_history(store: Store, turn: int) -> float:
    """The history of a tag that was set once."""
    reply = store.get(f"{AT}/_oci/tag-history/{held.tag(store.spread(turn, store.shape.tags))}")
    demand(len(reply.json["manifests"]) == 1, "another history came")
    return reply.seconds


def _referrers(store: Store, after: str) -> Reply:
    reply = store.get(f"{AT}/referrers/{held.digest(held.package(0))}?n={REFERRERS}&after={after}")
    demand(len({entry["digest"] for entry in reply.json["manifests"]}) == REFERRERS, "another page of referrers came")
    return reply


def referrers_first(store: Store, turn: int) -> float:
    """The first page of referrers."""
    return _referrers(store, "0").seconds


def referrers_deep(store: Store, turn: int) -> float:
    """A page from the middle of all referrers, by the Link that leads there."""
    if "deep" not in store.cursors:
        half = store.get(f"{AT}/referrers/{held.digest(held.package(0))}?n={store.shape.referrers // 2}")
        link = (half.header("link") or "").partition(">")[0].lstrip("<")
        store.cursors["deep"] = parse_qs(urlsplit(link).query)["after"][0]
    return _referrers(store, store.cursors["deep"]).seconds


def native_referrers(store: Store, turn: int) -> float:
    """The first page of the native list of referrers."""
    reply = store.get(f"{NATIVE}@{held.digest(held.package(0))}/referrers?n={REFERRERS}")
    demand(len({entry["digest"] for entry in reply.json["referrers"]}) == REFERRERS, "another page of referrers came")
    return reply.seconds


def native_package(store: Store, turn: int) -> float:
    """The description of a package."""
    number = store.spread(turn, store.shape.packages)
    reply = store.get(f"{NATIVE}:{held.tag(number * held.TAGS_A_PACKAGE)}")
    demand(reply.json["digest"] == held.digest(held.package(number)), "another package came")
    demand(len(reply.json["tags"]) == held.TAGS_A_PACKAGE, "it has other tags")
    return reply.seconds


def packages_of_all(store: Store, turn: int) -> float:
    """The newest packages, right after an index whose members lists leave out."""
    found = store.get(f"/api/v1/packages?n={PACKAGES}")
    digests = [package["digest"] for package in found.json["packages"]]
    demand(digests[0] == held.digest(held.index(store.shape)), "the index is not the newest package")
    demand(len(digests) == PACKAGES, "another page of packages came")
    demand({package["repository"] for package in found.json["packages"][1:]} == {held.MAIN}, "members are listed")
    return found.seconds


def _packages(store: Store, query: str) -> float:
    found = store.get(f"/api/v1/packages?{query}&n={PACKAGES}")
    demand({package["repository"] for package in found.json["packages"]} == {held.MAIN}, "others are listed too")
    demand(len(found.json["packages"]) == PACKAGES, "another page of packages came")
    return found.seconds


def packages_of_one(store: Store, turn: int) -> float:
    """The newest packages of a repository."""
    return _packages(store, f"repository={held.MAIN}")


def packages_of_kind(store: Store, turn: int) -> float:
    """The newest packages of a kind, that of the members too."""
    return _packages(store, f"kind={held.KIND}")


def native_repository(store: Store, turn: int) -> float:
    """A repository, and how much it holds."""
    reply = store.get(f"/api/v1/repositories/{held.MAIN}")
    expected = {"packages": store.shape.packages + store.shape.referrers, "tags": store.shape.tags}
    demand({name: reply.json[name] for name in expected} == expected, "it holds another number")
    return reply.seconds


def head_blob(store: Store, turn: int) -> float:
    """HEAD of a blob that every repository holds, in another one each time."""
    name = held.repository(store.spread(turn, store.shape.repositories))
    return store.line.ask("HEAD", f"/v2/{name}/blobs/{held.digest(held.CONFIG)}", 200).seconds


def events(store: Store, turn: int) -> float:
    """A page of events from somewhere in the log."""
    after = store.spread(turn, 2 * store.shape.repositories)
    found = store.get(f"/api/v1/events?after={after}&n={PACKAGES}&payload=none")
    demand(
        [event["sequence"] for event in found.json["events"]] == list(range(after + 1, after + 1 + PACKAGES)), "gaps"
    )
    return found.seconds


def _catalog(store: Store, last: str, expected: list[str]) -> float:
    found = store.get(f"/v2/_catalog?n={NAMES}&last={last}")
    demand(found.json["repositories"] == expected, "another page of repositories came")
    return found.seconds


def catalog_first(store: Store, turn: int) -> float:
    """The first page of repositories."""
    names = [held.LISTED, held.MAIN, *(held.repository(number) for number in range(NAMES - 2))]
    return _catalog(store, "", names)


def catalog_middle(store: Store, turn: int) -> float:
    """A page from the middle of all repositories."""
    first = store.shape.repositories // 2
    return _catalog(store, held.repository(first - 1), [held.repository(first + number) for number in range(NAMES)])


def push(store: Store, turn: int) -> float:
    """A new blob, and a new manifest that names it, under a new tag."""
    layer = f"layer {turn}".encode()
    body = held.artifact(f"pushed {turn}", layer)
    blob = store.line.ask("POST", f"{AT}/blobs/uploads/?digest={held.digest(layer)}", 201, layer)
    manifest = store.put(f"z-pushed-{turn}", body)
    demand(store.get(f"{AT}/manifests/z-pushed-{turn}").body == body, "another manifest came back")
    return blob.seconds + manifest.seconds


def push_referrer(store: Store, turn: int) -> float:
    """One more referrer of the subject that has so many."""
    body = held.referrer(f"pushed {turn}")
    reply = store.put(held.digest(body), body)
    demand(reply.header("oci-subject") == held.digest(held.package(0)), "the subject was not told")
    return reply.seconds


def retag(store: Store, turn: int) -> float:
    """A tag moves to another manifest that is there."""
    body = held.package(turn % 2)
    reply = store.put("z-moving", body)
    moved = store.line.ask("HEAD", f"{AT}/manifests/z-moving", 200).header("docker-content-digest")
    demand(moved == held.digest(body), "the tag did not move")
    return reply.seconds


def mount(store: Store, turn: int) -> float:
    """A blob is mounted into a repository that begins with it."""
    query = f"mount={held.digest(held.CONFIG)}&from={held.MAIN}"
    return store.line.ask("POST", f"/v2/mounted/r{turn:06}/blobs/uploads/?{query}", 201).seconds


def open_upload(store: Store, turn: int) -> float:
    """An upload is opened; it is cancelled at once."""
    reply = store.line.ask("POST", f"{AT}/blobs/uploads/", 202)
    store.line.ask("DELETE", reply.header("location") or "", 204)
    return reply.seconds


def delete_tag(store: Store, turn: int) -> float:
    """A tag is deleted."""
    store.put(f"z-short-{turn}", held.package(0))
    reply = store.line.ask("DELETE", f"{AT}/manifests/z-short-{turn}", 202)
    store.is_gone(f"z-short-{turn}")
    return reply.seconds


def delete_manifest(store: Store, turn: int) -> float:
    """A manifest with three tags is deleted."""
    body = held.artifact(f"short-lived {turn}")
    names = [f"z-gone-{turn}-{number}" for number in range(3)]
    store.put(f"{held.digest(body)}?{'&'.join(f'tag={name}' for name in names)}", body)
    reply = store.line.ask("DELETE", f"{AT}/manifests/{held.digest(body)}", 202)
    for name in (*names, held.digest(body)):
        store.is_gone(name)
    return reply.seconds


Operation = Callable[[Store, int], float]
READS: Mapping[str, Operation] = {
    "GET manifest by tag": get_by_tag,
    "HEAD manifest by tag": head_by_tag,
    "tags, first page": tags_first,
    "tags, middle page": tags_middle,
    "tags, last page": tags_last,
    "tag history": tag_history,
    "referrers, first page": referrers_first,
    "referrers, middle page": referrers_deep,
    "native referrers": native_referrers,
    "native package": native_package,
    "native packages": packages_of_all,
    "native packages of a repository": packages_of_one,
    "native packages of a kind": packages_of_kind,
    "native repository": native_repository,
    "catalog, first page": catalog_first,
    "catalog, middle page": catalog_middle,
    "HEAD blob": head_blob,
    "events, a page": events,
}
WRITES: Mapping[str, Operation] = {
    "push artifact, new tag": push,
    "push one more referrer": push_referrer,
    "re-tag": retag,
    "mount blob": mount,
    "open upload": open_upload,
    "delete tag": delete_tag,
    "delete manifest, 3 tags": delete_manifest,
}
"""Measured after all reads, since they add to what the reads expect."""
