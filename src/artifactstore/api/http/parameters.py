"""The query parameters of the native API, each read into a type that can only be valid; and the links between pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from artifactstore.api.http.asgi import Headers
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Parameter
from artifactstore.errors import InputError, ParameterInvalid

T = TypeVar("T")
PAGE_MAX = 1000
PAGE_DEFAULT = 100
NUMBER_MAX = (1 << 63) - 1
_FLAGS = {"true": True, "false": False}

N = Parameter(
    "n",
    "query",
    {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
    "Most entries in the page.",
)
CURSOR = Parameter(
    "cursor",
    "query",
    {"type": "integer", "minimum": 0, "maximum": NUMBER_MAX},
    "Where the page begins: from `next` of the page before.",
)


def number(call: Call, name: str, *, default: int, least: int = 0, most: int = NUMBER_MAX) -> int:
    """A whole number within bounds. Raises ParameterInvalid."""
    text = call.parameter(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise _invalid(name, text, f"must be a whole number from {least} to {most}")
    return int(text)


def page_size(call: Call, *, default: int = PAGE_DEFAULT) -> int:
    """`n`. Raises ParameterInvalid."""
    return number(call, "n", default=default, least=1, most=PAGE_MAX)


def flag(call: Call, name: str) -> bool:
    """`true` or `false`, which it is when absent. Raises ParameterInvalid."""
    text = call.parameter(name)
    if text is None:
        return False
    if text not in _FLAGS:
        raise _invalid(name, text, "must be true or false")
    return _FLAGS[text]


def choice(call: Call, name: str, *words: str) -> str:
    """One of the words; the first when absent. Raises ParameterInvalid."""
    text = call.parameter(name)
    if text is None:
        return words[0]
    if text not in words:
        raise _invalid(name, text, f"must be one of {', '.join(words)}")
    return text


def parsed(call: Call, name: str, parse: Callable[[str], T]) -> T | None:
    """What `parse` makes of it; None when absent. Raises ParameterInvalid."""
    text = call.parameter(name)
    if text is None:
        return None
    try:
        return parse(text)
    except InputError as error:
        raise _invalid(name, text, f"is {error.message}") from None


def following(call: Call, **changed: object) -> str:
    """The address of the next page: this one's, with other values for the parameters that page."""
    kept = [(name, value) for name, value in call.query if name not in changed]
    return f"{call.raw_path.decode('ascii')}?{urlencode([*kept, *changed.items()])}"


def link(address: str | None) -> Headers:
    """The Link header to the next page (RFC 8288), when there is one."""
    return () if address is None else ((b"link", f'<{address}>; rel="next"'.encode()),)


def _invalid(name: str, text: str, fault: str) -> ParameterInvalid:
    return ParameterInvalid(f"{name} {fault}", detail={"parameter": name, "value": text[:200]})
