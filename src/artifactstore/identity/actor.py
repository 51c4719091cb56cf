"""Who does something: a principal as the library sees it, an actor as the log remembers it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from artifactstore.errors import NameInvalid

ACTOR_BYTES_MAX = 255
_ACTOR = re.compile(r"anonymous|system|(?:user|key):[A-Za-z0-9._@+-]+")


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a Registry operation. `actor` is the opaque reference that events carry."""

    actor: str

    def __post_init__(self) -> None:
        if len(self.actor.encode()) > ACTOR_BYTES_MAX or not _ACTOR.fullmatch(self.actor):
            raise NameInvalid(
                "not an actor: anonymous, system, user:<id> or key:<id>", detail={"actor": self.actor[:300]}
            )


ANONYMOUS = Principal("anonymous")
"""Who calls while no authentication is configured; has all rights, on loopback only."""

SYSTEM = Principal("system")
"""The store itself: event 1 and maintenance."""
