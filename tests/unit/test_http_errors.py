"""Errors as answers: every code has a status and a word of the OCI list, and nothing internal is told."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest

from artifactstore import errors
from artifactstore.api.http.answers import Answer
from artifactstore.api.http.errors import TABLE, oci_error, problem

OCI_CODES = {
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


def body(answer: Answer) -> dict[str, object]:
    """The JSON of an answer."""
    assert isinstance(answer.body, bytes)
    value: dict[str, object] = json.loads(answer.body)
    return value


def leaves(kind: type[errors.ArtifactStoreError]) -> list[type[errors.ArtifactStoreError]]:
    """Every error below `kind` that the library defines and that has a code of its own."""
    found = [kind] if "code" in vars(kind) else []
    below = (sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__)
    return found + [leaf for sub in below for leaf in leaves(sub)]


def test_every_code_of_the_tree_has_a_row_and_no_other_has() -> None:
    """The table holds the tree's codes, all of them and nothing else."""
    assert {leaf.code for leaf in leaves(errors.ArtifactStoreError)} == set(TABLE)


def test_oci_answers_use_only_the_words_of_the_oci_list() -> None:
    """distribution-spec, "Error Codes": a closed list."""
    assert {row.oci_code for row in TABLE.values()} <= OCI_CODES


def test_a_clients_fault_is_never_a_5xx_and_ours_always_is() -> None:
    """Statuses follow the branches of the tree."""
    for leaf in leaves(errors.ArtifactStoreError):
        status = TABLE[leaf.code].status
        ours = issubclass(leaf, errors.Failure) or leaf is errors.ArtifactStoreError
        assert (status >= 500) is ours, leaf.code


def test_oci_errors_are_a_list_of_code_message_and_detail() -> None:
    """distribution-spec, "Error Codes": the body's shape."""
    answer = oci_error(errors.BlobUnknown("no such blob", detail={"digest": "sha256:x"}))
    entry = {"code": "BLOB_UNKNOWN", "message": "no such blob", "detail": {"digest": "sha256:x"}}
    assert (answer.status, body(answer)) == (404, {"errors": [entry]})
    assert (b"content-type", b"application/json") in answer.headers


def test_problems_carry_the_stable_code_and_the_detail() -> None:
    """RFC 9457: type, title, status, detail, and our extension members."""
    answer = problem(errors.LogRewound("not of this log", detail={"head": 7}))
    assert (b"content-type", b"application/problem+json") in answer.headers
    assert body(answer) == {
        "type": "urn:artifactstore:error:log-rewound",
        "title": "Conflict",
        "status": 409,
        "detail": "not of this log",
        "code": "LOG_REWOUND",
        "errors": {"head": 7},
    }


@pytest.mark.parametrize("write", [oci_error, problem])
def test_the_unforeseen_tells_nothing_of_itself(
    write: Callable[[Exception], Answer], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception outside the tree is a 500 whose text stays in the log."""
    monkeypatch.setattr(logging.getLogger("artifactstore"), "propagate", True)
    answer = write(ValueError("secret of the house"))
    assert answer.status == 500
    assert "secret" not in str(body(answer))
    assert "secret of the house" in caplog.text


@pytest.mark.parametrize("failure", [errors.TooManyRequests("full"), errors.BackendUnavailable("away")])
def test_what_may_succeed_later_says_when_to_try(failure: errors.ArtifactStoreError) -> None:
    """429 and 503 carry Retry-After (RFC 9110, 10.2.3)."""
    assert dict(oci_error(failure).headers)[b"retry-after"].isdigit()


def test_a_refused_range_tells_the_size() -> None:
    """416 carries Content-Range with the whole's length (RFC 9110, 15.5.17)."""
    assert dict(oci_error(errors.RangeInvalid("none", size=12)).headers)[b"content-range"] == b"bytes */12"
