"""JSON as I-JSON has it (RFC 7493): one meaning for every reader, bounded depth, text that a database can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from artifactstore.manifest.codec import DEPTH_MAX, check_text
from artifactstore.manifest.problems import Refusal, invalid

_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Only an escape can bring U+0000 or a lone surrogate into JSON that is UTF-8; most bodies have no such escape."""


def read(body: bytes, *, integer: Callable[[str], Any] = int) -> Any:
    """The value of a JSON text; `integer` reads each number that has neither fraction nor exponent.

    Raises ManifestInvalid for what is not UTF-8 JSON, for a name that repeats within one object, NaN and infinities,
    U+0000 and lone surrogates, and nesting beyond DEPTH_MAX. Time is linear in the size of `body`.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant, parse_int=integer
        )
    except Refusal as refusal:
        raise refusal.located() from None
    except RecursionError:
        raise invalid("", f"nested deeper than {DEPTH_MAX}") from None
    except json.JSONDecodeError as error:
        raise invalid("", f"not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise invalid("", f"not UTF-8: {error.reason} at byte {error.start}") from error
    except ValueError as error:  # only `int` is left to raise it, for thousands of digits
        raise invalid("", "a number of too many digits") from error
    _check_depth(body, value)
    if _SUSPECT.search(body):
        _check_texts(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    for name, _ in pairs:
        if found.pop(name, pairs) is pairs:
            raise Refusal(f"the name {name!r} is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise Refusal(f"{name} is no JSON number")


def _check_depth(body: bytes, value: Any) -> None:
    """Go down one level at a time; a body with few brackets cannot be deep, and is let through uncounted."""
    if body.count(b"{") + body.count(b"[") <= DEPTH_MAX:
        return
    level = _children([value])
    for _ in range(DEPTH_MAX):
        level = [item for container in level for item in _children(container)]
        if not level:
            return
    raise invalid("", f"nested deeper than {DEPTH_MAX}")


def _children(value: dict[str, Any] | list[Any]) -> list[Any]:
    items = value.values() if type(value) is dict else value
    return [item for item in items if type(item) is dict or type(item) is list]


def _check_texts(value: Any) -> None:
    """Find the text that no database can hold, and say where it is. Depth is bounded by now."""
    try:
        _walk_texts(value)
    except Refusal as refusal:
        raise refusal.located() from None


def _walk_texts(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    if not isinstance(value, dict | list):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        try:
            if isinstance(key, str):
                check_text(key)
            _walk_texts(item)
        except Refusal as refusal:
            refusal.steps.append(key)
            raise
