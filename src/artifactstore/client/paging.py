"""The pages of a list: where the next one is, and that they come to an end. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx

from artifactstore.client import addresses, failures

LINK_MAX = 8 << 10
"""Bytes of a Link; one that is longer is not looked at for what it may say."""
EMPTY_MAX = 100
"""So many pages in succession may be empty: some registries page over what they then leave out."""
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_IS_NEXT = re.compile(r';\s*rel\s*=\s*"?next(?=["\s;,]|$)', re.IGNORECASE)


class Walk:
    """A walk over the pages of a list. `address` is that of the page to be asked for; None: all were."""

    def __init__(self, address: str) -> None:
        self.address: str | None = address
        self._been = {address}
        self._last: set[str] = set()
        self._empty = 0

    def on(self, response: httpx.Response, entries: Sequence[Any], told: str | None) -> None:
        """To where the page that `response` brought says that the next one is, if it says so.

        Raises BackendUnavailable for another server, and for what would never end: a page again, or another one of the
        entries that the last one had already.
        """
        if self.address is None or not told:
            self.address = None
            return
        following = addresses.sent_on(self.address, told)
        found = set(map(repr, entries))
        self._empty = 0 if found else self._empty + 1
        if following in self._been or (found and found <= self._last) or self._empty > EMPTY_MAX:
            raise failures.nonsense(response, "a list that goes round in a circle")
        self.address, self._last = following, found or self._last
        self._been.add(following)


def linked(response: httpx.Response) -> str | None:
    """The `next` among an answer's Links (RFC 8288). Raises BackendUnavailable for more than an address needs."""
    header = response.headers.get("link", "")
    if len(header) > LINK_MAX:
        raise failures.nonsense(response, f"a Link of more than {LINK_MAX} bytes")
    return next((target for target, parameters in _LINK.findall(header) if _IS_NEXT.search(parameters)), None)


def read_page(response: httpx.Response, key: str) -> dict[str, Any]:
    """A page of the native API: a list under `key`, and the address of the `next`. Raises BackendUnavailable."""
    try:
        page = json.loads(response.content)
    except (ValueError, RecursionError):
        page = None
    sound = isinstance(page, dict) and isinstance(page.get(key), list) and isinstance(page.get("next", ""), str | None)
    if not sound:
        raise failures.nonsense(response, f"not a page of {key}")
    return {"next": None, **page}
