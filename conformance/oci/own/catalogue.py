"""Every group, in the order of the run."""

from __future__ import annotations

from conformance.oci.own import (
    answers,
    blobs,
    dataset_steps,
    deletions,
    errors,
    names,
    older,
    paging,
    pushes,
    referring,
    sessions,
    spans,
    start,
)
from conformance.oci.own.check import Group

OFFICIAL: tuple[Group, ...] = (
    start.PING,
    start.EMPTY,
    *blobs.GROUPS,
    *dataset_steps.GROUPS,
    dataset_steps.BAD_DIGEST,
    start.MISSING,
    start.INVALID,
)
"""What the official suite is known to demand, in its order; the BLAKE3 groups are ours."""

BEYOND: tuple[Group, ...] = (
    sessions.SESSIONS,
    spans.SPANS,
    pushes.PUSHES,
    answers.ANSWERS,
    paging.PAGING,
    referring.REFERRING,
    deletions.DELETIONS,
    names.NAMES,
    errors.ERRORS,
    errors.METHODS,
    errors.SIZES,
)
"""What the specification says and no suite asks."""

GROUPS = (*OFFICIAL, older.OLDER, *BEYOND)
