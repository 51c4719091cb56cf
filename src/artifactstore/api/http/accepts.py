"""Content negotiation (RFC 9110, 12.5.1): which of the media types on offer a request likes best. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from artifactstore.errors import NotAcceptable

_RANGE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)/([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;(.*))?", re.DOTALL)
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class MediaRange(NamedTuple):
    """One element of an Accept header; parameters other than `q` are not looked at."""

    type: str
    subtype: str
    quality: float

    def precision(self, media_type: str) -> int:
        """How closely it names a media type: 0 not at all, 1 `*/*`, 2 by its type, 3 exactly."""
        kind, _, subtype = media_type.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return 3
        if (self.type, self.subtype) == (kind, "*"):
            return 2
        return int((self.type, self.subtype) == ("*", "*"))


def choose(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type with the highest quality, the first of equals. Raises NotAcceptable when none has any."""
    ranges = [found for element in (accept or "").split(",") if (found := _read(element))]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media_type: quality(ranges, media_type))
    if quality(ranges, best) == 0:
        raise NotAcceptable("nothing that Accept asks for is on offer", detail={"offered": list(offered)})
    return best


def quality(ranges: Sequence[MediaRange], media_type: str) -> float:
    """The quality that the range which names a media type most closely gives it; 0 when none does."""
    closest = max(ranges, key=lambda found: found.precision(media_type))
    return closest.quality if closest.precision(media_type) else 0.0


def _read(element: str) -> MediaRange | None:
    """One element; None for what is no media range, which is passed over."""
    found = _RANGE.fullmatch(element)
    if found is None:
        return None
    kind, subtype, rest = found.groups()
    value = 1.0
    for parameter in (rest or "").split(";"):
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "q":
            value = float(text.strip()) if _QUALITY.fullmatch(text.strip()) else 0.0
    return MediaRange(kind.lower(), subtype.lower(), value)
