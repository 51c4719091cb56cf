"""What every client is put through, in the order of the matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.clients.client import Client
from conformance.clients.scenarios import charts, deleting, large, referring, resuming, signing, transfer
from conformance.clients.scene import Scene

Scenario = Callable[[Client, Scene], None]

SCENARIOS: Sequence[Scenario] = (
    transfer.push_and_pull,
    transfer.tag,
    transfer.list_tags,
    transfer.copy_with_mount,
    transfer.push_index,
    referring.attach_and_discover,
    referring.attach_sbom,
    referring.copy_with_referrers,
    signing.sign_as_referrer,
    signing.sign_as_oci_1_1,
    signing.sign_by_tag,
    signing.sign_twice,
    signing.remove_signatures,
    signing.attest_as_referrer,
    signing.attest_by_tag,
    deleting.delete_by_tag,
    deleting.delete_by_digest,
    charts.chart_with_plus,
    large.large_blob,
    resuming.push_after_cut,
    resuming.resume_push,
    resuming.resume_pull,
)


def name_of(scenario: Scenario) -> str:
    """A scenario's name: that of its function."""
    return scenario.__name__


def words_of(scenario: Scenario) -> str:
    """What a scenario does, in one sentence."""
    return " ".join((scenario.__doc__ or "").split())
