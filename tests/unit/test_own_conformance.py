"""The conformance checks of our own: what they cite, count and hash."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from blake3 import blake3 as reference

from conformance.oci.own.__main__ import as_json, chosen, main, passed, summary
from conformance.oci.own.catalogue import GROUPS, OFFICIAL
from conformance.oci.own.check import Check, Failed, Group, NotOffered, Result, run
from conformance.oci.own.datasets import DATASETS, graph_of
from conformance.oci.own.hashing import blake3, digest
from conformance.oci.own.registry import Registry, with_query

NOWHERE = "http://127.0.0.1:1"


def result(status: str) -> Result:
    """A result of that status."""
    return Result(Check("group", "name", "demand", lambda registry: None), status)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 3067, 4096, 5121, 8193])
def test_blake3_is_blake3(size: int) -> None:
    """The plain BLAKE3 agrees with the library, at every edge of blocks, chunks and trees."""
    data = bytes(number % 251 for number in range(size))
    assert blake3(data) == reference(data).digest()


def test_every_demand_cites_its_endpoint() -> None:
    """Every check says in a sentence what is demanded, and of which endpoint of the specification."""
    for check in chosen():
        assert re.search(r"end-\d+", check.demand), f"{check.group}/{check.name}"


def test_every_check_has_a_name_of_its_own() -> None:
    """No two checks are reported under one name, and no two groups are called alike."""
    names = Counter((check.group, check.name) for check in chosen())
    assert [name for name, count in names.items() if count > 1] == []
    assert len({group.name for group in GROUPS}) == len(GROUPS)


def test_the_official_groups_are_all_there() -> None:
    """Ping, empty, blobs by two algorithms, 21 data sets and two more groups; the BLAKE3 ones are ours."""
    names = [group.name for group in OFFICIAL if "blake3" not in group.name]
    assert len(names) == 1 + 1 + 2 + 21 + 2
    assert names[:4] == ["ping", "empty", "sha256 blobs", "sha512 blobs"]


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_what_it_says(name: str) -> None:
    """Every digest is that of the bytes, children come before parents, and tagged data sets have tags."""
    graph = graph_of(Registry(NOWHERE, "test"), name)
    for manifest in graph.manifests:
        assert manifest.digest == digest(manifest.body, DATASETS[name].algorithm)
    seen: set[str] = {blob.digest for blob in graph.blobs}
    for manifest in graph.manifests:
        listed = {entry["digest"] for entry in json.loads(manifest.body).get("manifests", [])}
        assert listed <= seen or name == "sparse"
        seen.add(manifest.digest)
    assert bool(graph.tagged) == DATASETS[name].tagged


@pytest.mark.parametrize(
    ("error", "status"), [(Failed("no"), "Fail"), (NotOffered("no"), "Skip"), (KeyError("tags"), "Fail")]
)
def test_what_a_check_raises_is_its_result(error: Exception, status: str) -> None:
    """A wrong answer fails, a legal refusal skips, and an answer of unforeseen shape fails."""
    group = Group("group")

    @group.check
    def raising(registry: Registry) -> None:
        raise error

    assert run(group.checks[0], Registry(NOWHERE)).status == status


@pytest.mark.parametrize(
    ("statuses", "line", "ok"),
    [
        (["Pass", "Pass"], "own conformance: 2 passed, 0 failed", True),
        (["Pass", "Fail"], "own conformance: 1 passed, 1 failed", False),
        (["Pass", "Skip"], "own conformance: 1 passed, 0 failed, 1 skipped", False),
        ([], "own conformance: 0 passed, 0 failed", False),
    ],
)
def test_only_a_run_of_passes_passes(statuses: list[str], line: str, ok: bool) -> None:
    """One failure, one skip, or no check at all, and the run has not passed."""
    results = [result(status) for status in statuses]
    assert (summary(results), passed(results)) == (line, ok)


def test_a_registry_that_does_not_answer_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a registry every check fails, and the exit code is 1."""
    assert main([NOWHERE, "--group", "ping"]) == 1
    assert "own conformance: 0 passed, 1 failed" in capsys.readouterr().out


def test_results_are_there_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` gives every result with its demand."""
    assert main([NOWHERE, "--group", "ping", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["status"] == "Fail"
    assert set(found) == set(as_json(result("Pass")))


def test_a_location_keeps_its_query() -> None:
    """Parameters are added to those that a Location has."""
    assert with_query("http://host/a?b=c%3Ad", {"digest": "sha256:00"}) == "http://host/a?b=c%3Ad&digest=sha256:00"
