"""Lists of repositories under a prefix keep to whole segments, page by page."""

from __future__ import annotations

from pathlib import Path

import pytest

from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName
from tests.stores import fresh_registry, push_blob

NAMES = ("acme", "acme-x/a", "acme.b", "acme/a", "acme/a/b", "acme/z", "acme0", "acmf")


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize(
    ("prefix", "within"),
    [("acme", ["acme", "acme/a", "acme/a/b", "acme/z"]), ("acme/a", ["acme/a", "acme/a/b"]), ("acm", []), ("b", [])],
)
async def test_a_prefix_is_whole_segments(tmp_path: Path, prefix: str, within: list[str], limit: int) -> None:
    """The prefix itself and all that lies under it are listed once, in byte order, and no neighbour with them."""
    registry = fresh_registry(tmp_path / "store", unsafe_no_sync=True)
    for name in NAMES:
        await push_blob(registry, name, b"blob")
    found: list[str] = []
    while page := await registry.repositories(
        ANONYMOUS, prefix=RepositoryName(prefix), last=found[-1] if found else "", limit=limit
    ):
        assert len(page) <= limit
        found += [row.name for row in page]
    await registry.close()
    assert found == within
