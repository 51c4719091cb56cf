"""The feed: everything since a sequence, as JSON, NDJSON or a CBOR sequence (docs/formats/feed.md)."""

from __future__ import annotations

from collections.abc import Callable

import cbor2
from starlette.routing import BaseRoute

from artifactstore.api.http import parameters
from artifactstore.api.http.accepts import choose
from artifactstore.api.http.answers import Answer, content
from artifactstore.api.http.asgi import Headers
from artifactstore.api.http.calls import Call
from artifactstore.api.http.endpoints import Endpoint, Parameter, routes_of
from artifactstore.api.http.errors import problem
from artifactstore.api.http.schemas import BYTES, COUNT, REPOSITORY_NAME, TEXT, named
from artifactstore.errors import LogRewound
from artifactstore.events.model import Event
from artifactstore.identity.names import RepositoryName
from artifactstore.registry import rendering
from artifactstore.registry.core import off_loop
from artifactstore.registry.registry import EventPage, Registry

JSON = "application/json"
NDJSON = "application/x-ndjson"
CBOR = "application/cbor-seq"


async def events(registry: Registry, call: Call) -> Answer:
    """A page of the log after a cursor. Raises NotAcceptable, ParameterInvalid."""
    media_type = choose(call.header(b"accept"), tuple(FORMATS))
    inline = parameters.choice(call, "payload", "inline", "none") == "inline"
    try:
        page = await registry.events(
            call.principal,
            after=parameters.number(call, "after", default=0),
            log_id=call.parameter("log"),
            repository=parameters.parsed(call, "repository", RepositoryName.parse),
            limit=parameters.page_size(call),
        )
    except LogRewound as rewound:
        return problem(rewound).adding(*_place(rewound.detail["log_id"], rewound.detail["head"]))
    more = parameters.following(call, after=page.scanned) if page.scanned < page.head.sequence else None
    size = sum(len(event.envelope) + len(event.payload) * inline for event in page.events)
    body = await off_loop(size, FORMATS[media_type], page, more, inline)
    headers = (
        (b"vary", b"Accept"),
        *_place(page.head.log_id, page.head.sequence),
        (b"artifactstore-log-scanned", b"%d" % page.scanned),
        *parameters.link(more),
    )
    return content(body, media_type.encode(), headers=headers)


def _place(log_id: str, head: int) -> Headers:
    """Which log this is and where it ends: said with every answer of the feed."""
    return ((b"artifactstore-log-id", log_id.encode()), (b"artifactstore-log-head", b"%d" % head))


def _json(page: EventPage, more: str | None, inline: bool) -> bytes:
    value = {
        "log_id": page.head.log_id,
        "head": page.head.sequence,
        "scanned": page.scanned,
        "next": more,
        "events": [rendering.event(event, inline=inline) for event in page.events],
    }
    return rendering.dumps(value).encode()


def _ndjson(page: EventPage, more: str | None, inline: bool) -> bytes:
    """One event a line."""
    return "".join(f"{rendering.dumps(rendering.event(event, inline=inline))}\n" for event in page.events).encode()


def _cbor(page: EventPage, more: str | None, inline: bool) -> bytes:
    """RFC 8742: one map an event, with envelope and payload as the exact bytes that the log holds."""
    return b"".join(cbor2.dumps(_item(event, inline), canonical=True) for event in page.events)


def _item(event: Event, inline: bool) -> dict[str, bytes]:
    item = {"envelope": event.envelope, "leaf_hash": event.leaf_hash}
    return item | {"payload": event.payload} if inline else item


Format = Callable[[EventPage, str | None, bool], bytes]
FORMATS: dict[str, Format] = {JSON: _json, NDJSON: _ndjson, CBOR: _cbor}
"""Media type -> how a page is written in it; the first is the default."""

ENDPOINTS = (
    Endpoint(
        "/api/v1/events",
        "listEvents",
        "The log after a sequence, in order",
        events,
        (
            Parameter("after", "query", {**COUNT, "default": 0}, "The last sequence that the caller has."),
            Parameter("log", "query", TEXT, "The log id that the cursor is of; another one is answered with 409."),
            Parameter("repository", "query", REPOSITORY_NAME, "Of this repository only."),
            Parameter(
                "payload", "query", {"enum": ["inline", "none"], "default": "inline"}, "Whether payloads come along."
            ),
            parameters.N,
        ),
        {200: {JSON: named("Events"), NDJSON: BYTES, CBOR: BYTES}},
        (406, 409),
    ),
)


def routes(registry: Registry) -> list[BaseRoute]:
    """The route of the feed."""
    return routes_of(ENDPOINTS, registry)
