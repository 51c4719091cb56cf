from __future__ import annotations

import pytest

from artifactstore.api.http.accepts import choose
from artifactstore.errors import NotAcceptable

OFFERED = ("a/first", "a/second", "b/third")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "a/first"),
        ("", "a/first"),
        (" , ,", "a/first"),
        ("nonsense", "a/first"),
        ("*/*", "a/first"),
        ("b/*", "b/third"),
        ("a/*;q=0.2, b/third;q=0.3", "b/third"),
        ("a/first;q=0.1, */*;q=0.9", "a/second"),
        ("*/*, a/first;q=0", "a/second"),
        ("a/second ; charset=utf-8 ; q=1.000", "a/second"),
        ("A/SECOND", "a/second"),
        ("x/y, a/second;q=0.001", "a/second"),
        ("a/first;q=2, a/second;q=0.5", "a/second"),
    ],
)
def test_best_of_what_is_offered(accept: str | None, chosen: str) -> None:
    """The highest quality wins, the closest range speaks for a type, the first of equals answers (RFC 9110, 12.5.1)."""
    assert choose(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", ["x/y", "*/*;q=0", "a/*;q=0, b/*;q=0.0", "a/first;q=nonsense"])
def test_nothing_acceptable(accept: str) -> None:
    """When every offer has quality 0, the refusal names them."""
    with pytest.raises(NotAcceptable) as refused:
        choose(accept, OFFERED)
    assert refused.value.detail == {"offered": list(OFFERED)}
