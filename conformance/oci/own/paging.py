"""Lists in pages: tags by `n` and `last`, and the Link that leads on."""

from __future__ import annotations

from itertools import chain

from conformance.oci.own import expect, samples
from conformance.oci.own.check import Group
from conformance.oci.own.hashing import digest
from conformance.oci.own.registry import MANIFEST, Blob, Registry, Repository, query_of, with_query

PAGING = Group("paging")
TAGS = ("0", "1.0", "1.0-rc", "1_0", "A", "B.z", "_a", "a", "b", "ba", "latest", "sha256-00ff", "z" * 128)


def stocked(registry: Registry) -> Repository:
    """A repository with these tags, the check that comes first pushing them."""
    repository = registry.repository("paging")
    if repository.get("tags/list").status == 404:
        samples.stocked(registry, "paging")
        for tag in reversed(TAGS):
            samples.put(repository, tag, samples.image())
    return repository


@PAGING.each([(size,) for size in (1, 2, 5, len(TAGS) - 1, len(TAGS), 1000)])
def pages_of(registry: Registry, size: int) -> None:
    """Pages of `n` tags lead on by Link until every tag was shown once and in order (end-8b)."""
    repository = stocked(registry)
    whole = expect.ordered_tags(repository.get("tags/list"))
    pages = expect.all_pages(registry, f"{repository.at}/tags/list?n={size}")
    shown = [expect.tags(page) for page in pages]
    expect.same(list(chain(*shown)), whole, pages[-1])
    for page, listed in zip(pages[:-1], shown[:-1], strict=True):
        expect.same(len(listed), size, page)
        found = expect.following(page) or ""
        expect.demand(query_of(found).get("n") == str(size), page, f"wanted n={size} in the Link, found {found}")


@PAGING.check
def no_tags_at_a_time(registry: Registry) -> None:
    """`n=0` is an empty list without a Link (end-8b)."""
    reply = stocked(registry).get("tags/list?n=0")
    expect.same(expect.tags(reply), [], reply)
    expect.demand(expect.following(reply) is None, reply, "wanted no Link")


@PAGING.each([("none",), ("1.0-r",), ("AA",), ("~",), ("",)])
def after_what_is_no_tag(registry: Registry, last: str) -> None:
    """`last` need not be a tag: what follows it is listed all the same (end-8b)."""
    repository = stocked(registry)
    reply = registry.ask("GET", with_query(f"{repository.at}/tags/list", {"last": last}))
    by_bytes = [tag for tag in sorted(TAGS) if tag > last]
    by_letters = [tag for tag in sorted(TAGS, key=str.lower) if tag.lower() > last.lower()]
    expect.demand(expect.tags(reply) in (by_bytes, by_letters), reply, f"wanted what follows {last!r}")


@PAGING.each([("-1",), ("x",), ("1.5",), ("%2B1",), ("%D9%A1",)])
def number_that_is_none(registry: Registry, number: str) -> None:
    """`n` that is no whole number is 400 (end-8b)."""
    expect.error(stocked(registry).get(f"tags/list?n={number}"), (400,))


@PAGING.check
def known_repository_without_tags(registry: Registry) -> None:
    """A repository that holds something but no tag has an empty list, never null (end-8a)."""
    reply = samples.stocked(registry, "no-tags").get("tags/list")
    expect.same(expect.tags(reply), [], reply)


@PAGING.check
def tags_are_never_null(registry: Registry) -> None:
    """The page after the last tag is an empty list, never null (end-8b)."""
    reply = stocked(registry).get(f"tags/list?n=5&last={'z' * 128}")
    expect.same(expect.tags(reply), [], reply)


@PAGING.check
def many_referrers(registry: Registry) -> None:
    """All the pages of a long list of referrers have each of them once, every page an index (end-12a)."""
    repository = samples.stocked(registry, "many-referrers")
    subject = Blob(samples.image(annotations=samples.unlike(registry, "many referrers")))
    pushed = set()
    for number in range(40):
        notes = {"number": str(number), "long": "x" * 2000}
        body = samples.image(subject=samples.descriptor(subject, MANIFEST), annotations=notes)
        pushed.add(samples.put(repository, digest(body), body))
    pages = expect.all_pages(registry, f"{repository.at}/referrers/{subject.digest}")
    listed = [entry["digest"] for page in pages for entry in expect.index(page)]
    expect.same(sorted(listed), sorted(pushed), pages[-1])
