"""Referrers beyond their listing: when subjects come and go, when tags look like them, and what a filter is."""

from __future__ import annotations

from conformance.oci.own import expect, samples
from conformance.oci.own.check import Group
from conformance.oci.own.hashing import ALGORITHMS
from conformance.oci.own.registry import INDEX, MANIFEST, Blob, Registry, Repository

REFERRING = Group("referring")
KIND = "application/x.own.kind+json"


def referred(registry: Registry, label: str, algorithm: str = "sha256") -> tuple[Repository, Blob, str]:
    """A repository with one referrer of a manifest that is not there yet; that manifest, and the referrer's digest."""
    repository = samples.stocked(registry, f"referring/{label}")
    subject = Blob(samples.image(annotations=samples.unlike(registry, label)), algorithm)
    body = samples.image(artifactType=KIND, subject=samples.descriptor(subject, MANIFEST))
    reply = expect.status(repository.put_manifest(Blob(body).digest, body), 201)
    expect.header(reply, "oci-subject", subject.digest)
    return repository, subject, Blob(body).digest


def listed(repository: Repository, subject: str) -> list[str]:
    """The digests of the referrers."""
    return [entry["digest"] for entry in expect.index(repository.get(f"referrers/{subject}"))]


@REFERRING.each([(algorithm,) for algorithm in ALGORITHMS])
def subject_by(registry: Registry, algorithm: str) -> None:
    """A subject is found by the digest that its referrer names it by, whatever the algorithm (end-12a)."""
    repository, subject, digest = referred(registry, f"by-{algorithm}", algorithm)
    expect.same(listed(repository, subject.digest), [digest], repository.get(f"referrers/{subject.digest}"))


@REFERRING.check
def subject_that_comes_and_goes(registry: Registry) -> None:
    """A referrer is listed before its subject is there, while it is, and after it was deleted (end-12a, end-9)."""
    repository, subject, digest = referred(registry, "comes-and-goes")
    reply = repository.get(f"referrers/{subject.digest}")
    expect.same(listed(repository, subject.digest), [digest], reply)
    samples.put(repository, subject.digest, subject.data)
    expect.same(listed(repository, subject.digest), [digest], reply)
    expect.offered(repository.delete(f"manifests/{subject.digest}"), 202, 400, 405)
    expect.same(listed(repository, subject.digest), [digest], reply)


@REFERRING.check
def pushed_twice(registry: Registry) -> None:
    """A referrer that is pushed again, and tagged, is listed once (end-12a)."""
    repository, subject, digest = referred(registry, "pushed-twice")
    body = repository.get(f"manifests/{digest}").body
    samples.put(repository, digest, body)
    samples.put(repository, "tagged", body)
    expect.same(listed(repository, subject.digest), [digest], repository.get(f"referrers/{subject.digest}"))


@REFERRING.check
def of_another_repository(registry: Registry) -> None:
    """Referrers are those of the repository that is asked (end-12a)."""
    _, subject, _ = referred(registry, "one-side")
    other = samples.stocked(registry, "referring/other-side")
    expect.same(listed(other, subject.digest), [], other.get(f"referrers/{subject.digest}"))


@REFERRING.check
def empty_filter(registry: Registry) -> None:
    """An empty `artifactType` filters nothing, and no header says that it did (end-12b)."""
    repository, subject, digest = referred(registry, "empty-filter")
    reply = repository.get(f"referrers/{subject.digest}?artifactType=")
    expect.same([entry["digest"] for entry in expect.index(reply)], [digest], reply)
    expect.demand(reply.header("oci-filters-applied") is None, reply, "wanted no OCI-Filters-Applied")


@REFERRING.each([("application/x.own.kind%2Bjson", 1), ("application/x.own", 0), ("application/X.own.kind%2Bjson", 0)])
def filter_by(registry: Registry, kind: str, count: int) -> None:
    """A filter matches the whole type, letter by letter (end-12b)."""
    repository, subject, _ = referred(registry, "filter")
    reply = repository.get(f"referrers/{subject.digest}?artifactType={kind}")
    expect.same(len(expect.index(reply)), count, reply)


@REFERRING.check
def malformed_digest(registry: Registry) -> None:
    """The referrers of what is no digest are 400 (end-12a)."""
    reply = samples.stocked(registry, "referring/malformed").get("referrers/sha256:short")
    expect.error(reply, (400,), ("DIGEST_INVALID",))


@REFERRING.check
def fallback_tag(registry: Registry) -> None:
    """A tag in the form of a digest is a tag like any other, and leads to what it was set to (end-3, end-12a)."""
    repository, subject, digest = referred(registry, "fallback")
    body, tag = samples.index(), subject.digest.replace(":", "-")
    samples.put(repository, tag, body, INDEX)
    expect.content(repository.get(f"manifests/{tag}"), body, Blob(body).digest, INDEX)
    expect.same(listed(repository, subject.digest), [digest], repository.get(f"referrers/{subject.digest}"))
