"""The URL grammar of `/v2`: method, path and query in, one frozen request or a typed refusal out. No I/O.

Repository names may hold any word that routes hold (`a/blobs/manifests` is one), so paths are read from the right. A
component of a name cannot begin with `_`, so `_oci` and `_catalog` never clash with one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from artifactstore.api.http import oci_request as ask
from artifactstore.api.http import oci_values as values
from artifactstore.api.http.oci_values import Pairs
from artifactstore.errors import BlobUnknown, NameInvalid, ParameterInvalid, ResourceUnknown, Unsupported
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import RepositoryName

Build = Callable[[str, str, Pairs], ask.OciRequest]


class Route(NamedTuple):
    """Where a path leads: what each method builds there, the repository's name and what follows, as text."""

    methods: Mapping[str, Build]
    name: str = ""
    tail: str = ""


def parse(method: str, path: str, query: Pairs) -> ask.OciRequest:
    """Read a request.

    Raises ResourceUnknown for no route, Unsupported for a route that has not this method, NameInvalid, DigestInvalid,
    ManifestInvalid for a tag that cannot be set, ManifestUnknown for one that cannot exist, ParameterInvalid.
    """
    route = route_of(path)
    build = route.methods.get(method)
    if build is None:
        raise Unsupported(f"{method[:20]} is not offered here")
    return build(route.name, route.tail, query)


def allowed(path: str) -> tuple[str, ...]:
    """The methods that a path has, for the Allow header of a 405 (RFC 9110, 15.5.6). Raises ResourceUnknown."""
    return tuple(route_of(path).methods)


def route_of(path: str) -> Route:
    """Read a path from the right. Raises ResourceUnknown."""
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed
    head, _, rest = path.rpartition("/")
    head, _, kind = head.rpartition("/")
    family = _FAMILIES.get(kind)
    route = family(head, rest) if family is not None else None
    if route is None or not (route.name.startswith("/v2/") or (route.name == "/v2" and kind in _ROOTED)):
        raise ResourceUnknown("no such route", detail={"path": path[:500]})
    return Route(route.methods, route.name[4:], route.tail)


def _blobs(head: str, tail: str) -> Route:
    return Route(_START if tail == "uploads" else _BLOB, head, tail)


def _uploads(head: str, tail: str) -> Route | None:
    if not head.endswith("/blobs"):
        return None
    return Route(_SESSION if tail else _START, head.removesuffix("/blobs"), tail)


def _manifests(head: str, tail: str) -> Route:
    return Route(_MANIFEST, head, tail)


def _tags(head: str, tail: str) -> Route | None:
    return Route(_TAGS, head) if tail == "list" else None


def _referrers(head: str, tail: str) -> Route:
    return Route(_REFERRERS, head, tail)


def _oci(head: str, tail: str) -> Route | None:
    return Route(_REPOSITORIES, head) if tail == "repositories" else None


def _ext(head: str, tail: str) -> Route | None:
    return Route(_DISCOVER, head.removesuffix("/_oci")) if head.endswith("/_oci") and tail == "discover" else None


def _tag_history(head: str, tail: str) -> Route | None:
    return Route(_HISTORY, head.removesuffix("/_oci"), tail) if head.endswith("/_oci") else None


def _blob_get(name: str, tail: str, query: Pairs) -> ask.BlobGet:
    return ask.BlobGet(RepositoryName.parse(name), values.existing_digest(tail, BlobUnknown))


def _blob_delete(name: str, tail: str, query: Pairs) -> ask.BlobDelete:
    return ask.BlobDelete(RepositoryName.parse(name), values.existing_digest(tail, BlobUnknown))


def _start(name: str, tail: str, query: Pairs) -> ask.OciRequest:
    """`mount` goes before `digest`, and that before opening an upload."""
    repository, given = RepositoryName.parse(name), dict(reversed(query))
    if "mount" in given:
        return _mount(repository, Digest.parse(given["mount"]), given.get("from", ""))
    if "digest" in given:
        return ask.BlobPush(repository, Digest.parse(given["digest"]))
    return ask.UploadStart(repository, given.get("digest-algorithm"))


def _mount(repository: RepositoryName, digest: Digest, source: str) -> ask.OciRequest:
    """A source that cannot be a repository of ours cannot hold the blob: then an upload is opened, as for any other."""
    try:
        return ask.BlobMount(repository, digest, RepositoryName.parse(source) if source else None)
    except NameInvalid:
        return ask.UploadStart(repository)


def _append(name: str, tail: str, query: Pairs) -> ask.UploadAppend:
    return ask.UploadAppend(RepositoryName.parse(name), tail)


def _close(name: str, tail: str, query: Pairs) -> ask.UploadClose:
    return ask.UploadClose(RepositoryName.parse(name), tail, Digest.parse(values.first(query, "digest") or ""))


def _status(name: str, tail: str, query: Pairs) -> ask.UploadGet:
    return ask.UploadGet(RepositoryName.parse(name), tail)


def _cancel(name: str, tail: str, query: Pairs) -> ask.UploadCancel:
    return ask.UploadCancel(RepositoryName.parse(name), tail)


def _manifest_get(name: str, tail: str, query: Pairs) -> ask.ManifestGet:
    return ask.ManifestGet(RepositoryName.parse(name), values.existing(tail))


def _manifest_put(name: str, tail: str, query: Pairs) -> ask.ManifestPut:
    repository = RepositoryName.parse(name)
    tags = tuple(values.settable(value) for key, value in query if key == "tag")
    if ":" in tail:
        return ask.ManifestPut(repository, Digest.parse(tail), tags)
    if tags:
        raise ParameterInvalid("more tags can be given when the manifest is pushed by digest")
    return ask.ManifestPut(repository, values.settable(tail))


def _manifest_delete(name: str, tail: str, query: Pairs) -> ask.ManifestDelete:
    return ask.ManifestDelete(RepositoryName.parse(name), values.existing(tail))


def _tag_list(name: str, tail: str, query: Pairs) -> ask.TagList:
    return ask.TagList(RepositoryName.parse(name), values.page(query))


def _referrer_list(name: str, tail: str, query: Pairs) -> ask.ReferrerList:
    types = tuple(dict.fromkeys(value for key, value in query if key == "artifactType" and value))
    after = values.number(query, "after") or 0
    return ask.ReferrerList(RepositoryName.parse(name), values.subject(tail), types, after, values.number(query, "n"))


def _discover(name: str, tail: str, query: Pairs) -> ask.Discover:
    return ask.Discover(RepositoryName.parse(name) if name else None)


def _history(name: str, tail: str, query: Pairs) -> ask.TagHistory:
    digest = values.first(query, "digest")
    return ask.TagHistory(
        repository=RepositoryName.parse(name),
        tag=values.settable(tail),
        size=values.number(query, "n"),
        before=values.time(query, "before"),
        since=values.time(query, "since"),
        digest=Digest.parse(digest) if digest else None,
        after=values.number(query, "after"),
    )


def _repository_list(name: str, tail: str, query: Pairs) -> ask.RepositoryList:
    return ask.RepositoryList(RepositoryName.parse(name) if name else None, values.page(query))


def _reading(build: Build) -> Mapping[str, Build]:
    """What can be read and nothing else; wherever GET is answered, HEAD is (RFC 9110, 9.1)."""
    return {"GET": build, "HEAD": build}


_BLOB: Mapping[str, Build] = {"GET": _blob_get, "HEAD": _blob_get, "DELETE": _blob_delete}
_START: Mapping[str, Build] = {"POST": _start}
_SESSION: Mapping[str, Build] = {"GET": _status, "PATCH": _append, "PUT": _close, "DELETE": _cancel}
_MANIFEST: Mapping[str, Build] = {
    "GET": _manifest_get,
    "HEAD": _manifest_get,
    "PUT": _manifest_put,
    "DELETE": _manifest_delete,
}
_TAGS = _reading(_tag_list)
_REFERRERS = _reading(_referrer_list)
_REPOSITORIES = _reading(_repository_list)
_DISCOVER = _reading(_discover)
_HISTORY = _reading(_history)
_PING = Route(_reading(lambda name, tail, query: ask.Ping()))
_CATALOG = Route(_reading(lambda name, tail, query: ask.Catalog(values.page(query))))
_FIXED: Mapping[str, Route] = {"/v2": _PING, "/v2/": _PING, "/v2/_catalog": _CATALOG}
_FAMILIES: Mapping[str, Callable[[str, str], Route | None]] = {
    "blobs": _blobs,
    "uploads": _uploads,
    "manifests": _manifests,
    "tags": _tags,
    "referrers": _referrers,
    "_oci": _oci,
    "ext": _ext,
    "tag-history": _tag_history,
}
_ROOTED = ("_oci", "ext")
"""Routes that are there without a repository too."""
