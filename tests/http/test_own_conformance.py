"""The conformance checks of our own find every broken rule, and nothing in a registry that breaks none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conformance.oci.own.__main__ import chosen, passed, run_all
from conformance.oci.own.catalogue import GROUPS
from tests.http import broken
from tests.http.broken import Breaking, Rule, in_front
from tests.stores import fresh_config

STATUS = broken.other_status
BEFORE: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "Content-Length required": (broken.require_content_length, ("image",)),
    "sha512 refused": (broken.refuse_sha512, ("sha512 blobs", "sha512")),
    "blob deletion is 400": (partial(broken.refuse_blob_deletion, status=400), ("sha256 blobs",)),
    "a malformed range is ignored": (
        partial(broken.drop_request_header, name=b"range", value=b"bytes=500-0"),
        ("sha256 blobs",),
    ),
    "ranges are ignored by HEAD and GET": (partial(broken.drop_request_header, name=b"range"), ("ranges",)),
    "Content-Range is ignored": (partial(broken.drop_request_header, name=b"content-range"), ("older suite",)),
    "Accept is heeded": (broken.heed_accept, ("answers",)),
    "one line of Accept is read": (broken.read_the_last_accept_line, ("answers",)),
    "uploads redirect to a slash": (broken.redirect_to_a_slash, ("names",)),
    "the filter is ignored": (partial(broken.drop_parameter, name=b"artifactType"), ("artifacts with subject",)),
    "n is ignored": (partial(broken.drop_parameter, name=b"n"), ("older suite",)),
    "last is ignored": (partial(broken.drop_parameter, name=b"last"), ("image",)),
    "tag parameters are ignored": (partial(broken.drop_parameter, name=b"tag"), ("tag parameters sha256",)),
}
AFTER: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "gzip": (broken.compress, ("image",)),
    "charset": (broken.name_a_charset, ("image",)),
    "no digest": (partial(broken.drop, name=b"docker-content-digest"), ("sha256 blobs", "image")),
    "HEAD without length": (partial(broken.drop, name=b"content-length", method="HEAD"), ("sha256 blobs",)),
    "always sha256": (broken.always_sha256, ("sha512 blobs", "tag parameters sha512")),
    "no OCI-Subject": (partial(broken.drop, name=b"oci-subject"), ("index with subject",)),
    "no OCI-Tag": (partial(broken.drop, name=b"oci-tag"), ("tag parameters sha256",)),
    "no Range of an upload": (partial(broken.drop, name=b"range", status=204), ("sha256 blobs",)),
    "capped tags": (broken.cap_tags, ("image",)),
    "misplaced PUT is 400": (partial(STATUS, method="PUT", found=416, instead=400), ("sha256 blobs",)),
    "malformed range is 400": (partial(STATUS, method="GET", found=416, instead=400), ("sha256 blobs",)),
    "no referrers, no answer": (broken.no_referrers_no_answer, ("empty",)),
    "tags in another order": (broken.reverse_tags, ("older suite",)),
    "tags that are null": (broken.null_tags, ("paging",)),
    "an invalid name is 400": (partial(STATUS, method="GET", found=404, instead=400, part="/."), ("older suite",)),
    "too large is 400": (partial(STATUS, method="PUT", found=413, instead=400), ("sizes",)),
    "a wrong method is 404": (partial(STATUS, method="POST", found=405, instead=404), ("methods",)),
    "no Allow": (partial(broken.drop, name=b"allow"), ("methods",)),
    "a malformed digest is 500": (partial(STATUS, method="PUT", found=400, instead=500), ("invalid digest format",)),
    "wrong bytes are taken": (partial(STATUS, method="PUT", found=400, instead=201), ("bad digest image",)),
    "unlisted code": (broken.unlisted_code, ("errors",)),
    "errors in words": (broken.errors_in_words, ("errors",)),
    "referrers of another type": (broken.plain_json_referrers, ("empty",)),
    "annotated referrers": (broken.annotate_referrers, ("older suite",)),
    "no OCI-Filters-Applied": (partial(broken.drop, name=b"oci-filters-applied"), ("index with subject",)),
    "rewritten manifests": (broken.rewrite_manifests, ("image",)),
    "no Link": (partial(broken.drop, name=b"link"), ("paging",)),
    "Link to another host": (broken.link_elsewhere, ("paging",)),
    "Range with a unit": (broken.bytes_in_range, ("sha256 blobs",)),
    "Range one too far": (broken.range_one_too_far, ("older suite",)),
    "no Location": (partial(broken.drop, name=b"location", status=201), ("image",)),
    "HEAD of another type": (broken.json_type_for_heads, ("answers",)),
    "deleted manifests stay": (broken.undead_manifests, ("image",)),
    "unknown is 500": (partial(STATUS, method="GET", found=404, instead=500), ("missing manifest",)),
    "no version": (partial(STATUS, method="GET", found=200, instead=404, part="/v2/"), ("ping",)),
}
DECLINED: dict[str, Rule] = {
    "blob deletion is 405": partial(broken.refuse_blob_deletion, status=405),
    "no anonymous mount": broken.mount_by_name_only,
}


@pytest.fixture(scope="module")
def front() -> Iterator[tuple[str, Breaking]]:
    """The server that can break rules, in front of a store that accepts sparse manifests."""
    with TemporaryDirectory(prefix="artifactstore-http-") as folder:
        config = fresh_config(Path(folder, "data"), port=0, unsafe_no_sync=True, sparse_repositories=("*",))
        with in_front(config) as running:
            yield running


@pytest.fixture
def breaking(front: tuple[str, Breaking]) -> Iterator[Breaking]:
    """The server's rules, none of them broken before and after the test."""
    yield front[1]
    front[1].before = front[1].after = broken.nothing


def statuses(front: tuple[str, Breaking], *groups: str) -> set[str]:
    """What came of the groups' checks."""
    results = run_all(front[0], chosen(groups))
    found = {result.status for result in results}
    assert passed(results) == (found == {"Pass"})
    return found


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_nothing_is_found_in_an_unbroken_registry(front: tuple[str, Breaking], group: str) -> None:
    """Every check of every group passes, each group run alone."""
    assert [str(result) for result in run_all(front[0], chosen([group])) if result.status != "Pass"] == []


@pytest.mark.parametrize("rule", BEFORE)
def test_a_rule_broken_before_the_answer_is_found(front: tuple[str, Breaking], breaking: Breaking, rule: str) -> None:
    """A registry that mistakes one kind of request fails at least one check."""
    breaking.before, groups = BEFORE[rule]
    assert "Fail" in statuses(front, *groups)


@pytest.mark.parametrize("rule", AFTER)
def test_a_rule_broken_in_the_answer_is_found(front: tuple[str, Breaking], breaking: Breaking, rule: str) -> None:
    """A registry whose answers break one rule fails at least one check."""
    breaking.after, groups = AFTER[rule]
    assert "Fail" in statuses(front, *groups)


@pytest.mark.parametrize("rule", DECLINED)
def test_what_is_declined_legally_does_not_pass_either(
    front: tuple[str, Breaking], breaking: Breaking, rule: str
) -> None:
    """An optional part that the registry declines as the specification allows is skipped, and the run not passed."""
    breaking.before = DECLINED[rule]
    assert "Skip" in statuses(front, "sha256 blobs")
