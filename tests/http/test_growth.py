"""The growth benchmark runs, and fails on a wrong answer: on stores so small that it takes seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.bench import growth, growth_store
from conformance.bench.growth_operations import READS, WRITES
from conformance.bench.growth_store import LARGE, SMALL, Shape

TINY = ["--scale", "0.002", "--reads", "2", "--writes", "2"]


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM stays what it is to the tests."""
    monkeypatch.setattr(growth, "exit_on_terminate", lambda: None)


def test_every_operation_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Two stores are filled, each operation has a line, and every tag is deleted in the end."""
    assert growth.main(TINY) == 0
    printed = capsys.readouterr().out
    assert "200 tags on 20 packages, 20 referrers of one, 100 repositories, an index of 10" in printed
    assert all(f"\n{name}  " in printed for name in (*READS, *WRITES))
    assert "200 tags: 200 in" in printed


def test_a_wrong_answer_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A store in which the last tag is missing makes the command fail and say what was wrong."""
    fill = growth_store.fill

    async def fill_too_little(data: Path, shape: Shape) -> None:
        await fill(data, replace(shape, tags=shape.tags - 1))

    monkeypatch.setattr(growth_store, "fill", fill_too_little)
    assert growth.main(TINY) == 1
    assert "another page of tags came" in capsys.readouterr().err


def test_a_large_store_is_never_smaller_than_the_small_one() -> None:
    """Scaling keeps the shape down to the size of the small store."""
    assert LARGE.scaled(1, SMALL) == LARGE
    assert LARGE.scaled(0.5, SMALL) == Shape(tags=50_000, referrers=5_000, repositories=25_000, members=2_500)
    assert LARGE.scaled(0, SMALL) == SMALL
