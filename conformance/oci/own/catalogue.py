"""Every group, in the order of the run."""

from __future__ import annotations

from conformance.oci.own import blobs, dataset_steps, start
from conformance.oci.own.check import Group

GROUPS: tuple[Group, ...] = (
    start.PING,
    start.EMPTY,
    *blobs.GROUPS,
    *dataset_steps.GROUPS,
    dataset_steps.BAD_DIGEST,
    start.MISSING,
    start.INVALID,
)
