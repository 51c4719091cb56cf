"""How the parts of a native manifest must fit each other; `docs/formats/native-manifest.md` states the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from artifactstore.identity.digest import ALWAYS
from artifactstore.manifest.media_types import is_header_safe
from artifactstore.manifest.parts import File, OciConfig, Relation, StorageReceipt, address_of
from artifactstore.manifest.paths import path_problem, tree_problem
from artifactstore.manifest.problems import invalid

_DIGESTS_MAX = len(ALWAYS) + 1


def check_files(files: Sequence[File], *, is_native: bool) -> None:
    """Positions count from 0. A native package has sound paths, in bytewise order, and only known content."""
    for position, file in enumerate(files):
        if file.position != position:
            raise invalid(f"/files/{position}/position", f"is not {position}")
        if is_native:
            _check_native_file(file)
    if not is_native:
        return
    paths = [file.path or "" for file in files]
    if paths != sorted(paths, key=str.encode):
        raise invalid("/files", "are not sorted by path")
    problem = tree_problem(paths)
    if problem:
        raise invalid(f"/files/{paths.index(problem[0])}/path", problem[1])


def check_receipts(files: Sequence[File], config: OciConfig | None, receipts: Sequence[StorageReceipt]) -> None:
    """Receipts are sorted and distinct, and are exactly those of the known content of files and config."""
    addresses = [receipt.content_address for receipt in receipts]
    if any(before >= after for before, after in pairwise(addresses)):
        raise invalid("/storage_receipts", "are not sorted by content address, or not distinct")
    by_address = {receipt.content_address: receipt for receipt in receipts}
    used = {_receipt_of(file.digests, file.size, by_address, f"/files/{file.position}") for file in files}
    if config:
        used.add(_receipt_of(config.digests, config.size, by_address, "/provenance/oci/config"))
    for position, address in enumerate(addresses):
        if address not in used:
            raise invalid(f"/storage_receipts/{position}", "belongs to no file")


def check_relations(relations: Sequence[Relation], *, is_native: bool) -> None:
    """At most one subject, before all members; members only for what was pushed as an index."""
    for position, relation in enumerate(relations):
        if relation.relation == "subject" and position > 0:
            raise invalid(f"/provenance/relations/{position}", "the subject comes first, and once")
        if relation.relation == "member" and is_native:
            raise invalid(f"/provenance/relations/{position}", "a native package has no members")


def _check_native_file(file: File) -> None:
    problem = path_problem(file.path) if file.path is not None else "is missing"
    if problem:
        raise invalid(f"/files/{file.position}/path", problem)
    if file.digests.keys() != set(ALWAYS):
        raise invalid(f"/files/{file.position}/digests", "of a native package are blake3 and sha256")
    if not is_header_safe(file.media_type):
        raise invalid(f"/files/{file.position}/media_type", "not printable ASCII, or too long")


def _receipt_of(digests: Mapping[str, str], size: int, receipts: Mapping[str, StorageReceipt], path: str) -> str | None:
    """The address of known content, whose receipt must say the same; None for content that was not known."""
    if len(digests) == 1:
        return None
    if not digests.keys() >= set(ALWAYS) or len(digests) > _DIGESTS_MAX:
        raise invalid(f"{path}/digests", "holds blake3, sha256 and the one it was named by, or the last alone")
    address = address_of(digests)
    receipt = receipts.get(address or "")
    if receipt is None:
        raise invalid(f"{path}/digests/blake3", "has no storage receipt")
    if receipt.size != size or receipt.digests["sha256"] != digests["sha256"]:
        raise invalid(path, "differs from its storage receipt")
    return address
