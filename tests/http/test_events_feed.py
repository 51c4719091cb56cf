from __future__ import annotations

import hashlib
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import cbor2
import pytest
import pytest_asyncio

from artifactstore.events.log import LogPage
from artifactstore.manifest.codec import decode, encode
from tests.http.native_store import START, Store, opened

NDJSON = "application/x-ndjson"
CBOR = "application/cbor-seq"


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    """A store whose log has two packages in two repositories."""
    async with opened() as filled:
        await filled.package("a/x", {"a.txt": b"alpha"}, "v1")
        await filled.package("b/y", {"b.txt": b"beta"}, "v1")
        yield filled


async def test_feed_is_the_whole_log_in_order(store: Store) -> None:
    """From 0 on every event is there once, without a gap, under the log's id and head."""
    feed = await store.json("/api/v1/events")
    sequences = [event["sequence"] for event in feed["events"]]
    assert sequences == list(range(1, feed["head"] + 1))
    assert (feed["scanned"], feed["next"]) == (feed["head"], None)
    first = feed["events"][0]
    assert (first["type"], first["payload"]["log_id"]) == ("v1.log.created", feed["log_id"])
    assert (first["time_us"], first["time"]) == (START, "2025-11-21T01:53:20.123456Z")


async def test_feed_pages(store: Store) -> None:
    """Following `next` reads the same events as one page does, and goes on after a cursor."""
    whole = (await store.json("/api/v1/events"))["events"]
    seen: list[dict[str, Any]] = []
    address: str | None = "/api/v1/events?n=3"
    while address:
        page = await store.json(address)
        assert len(page["events"]) <= 3
        seen += page["events"]
        address = page["next"]
    assert seen == whole
    assert (await store.json("/api/v1/events?after=4"))["events"] == whole[4:]


async def test_filtered_page_says_what_it_scanned(store: Store) -> None:
    """A page of one repository has its events only, and a cursor that has passed the others."""
    feed = await store.json("/api/v1/events?repository=a/x")
    assert {event["stream"] for event in feed["events"]} == {"a/x"}
    assert (feed["scanned"], feed["next"]) == (feed["head"], None)


async def test_payload_can_be_left_out(store: Store) -> None:
    """`payload=none` names payloads by digest and size only."""
    whole = (await store.json("/api/v1/events"))["events"]
    bare = (await store.json("/api/v1/events?payload=none"))["events"]
    assert bare == [{name: value for name, value in event.items() if name != "payload"} for event in whole]


async def test_ndjson_has_an_event_a_line(store: Store) -> None:
    """NDJSON has the same events, and the rest in headers."""
    feed = await store.json("/api/v1/events?n=3")
    response = await store.get("/api/v1/events?n=3", accept=NDJSON)
    assert response.headers["content-type"] == NDJSON
    assert [json.loads(line) for line in response.text.splitlines()] == feed["events"]
    assert response.headers["artifactstore-log-id"] == feed["log_id"]
    assert response.headers["artifactstore-log-head"] == str(feed["head"])
    assert response.headers["artifactstore-log-scanned"] == "3"
    assert response.headers["link"] == f'<{feed["next"]}>; rel="next"'


async def test_cbor_sequence_holds_the_exact_bytes(store: Store) -> None:
    """Each item of the CBOR sequence has the envelope and payload byte for byte, so that both hashes can be checked."""
    response = await store.get("/api/v1/events", accept=CBOR)
    assert response.headers["content-type"] == CBOR
    stream, items = io.BytesIO(response.content), []
    while stream.tell() < len(response.content):
        items.append(cbor2.load(stream))
    events = (await store.json("/api/v1/events"))["events"]
    assert len(items) == len(events)
    for item, event in zip(items, events, strict=True):
        envelope = decode(item["envelope"])
        assert hashlib.sha256(b"\x00" + item["envelope"]).digest() == item["leaf_hash"]
        assert item["leaf_hash"].hex() == event["leaf_hash"]
        assert envelope["payload_sha256"] == f"sha256:{hashlib.sha256(item['payload']).hexdigest()}"
        assert (envelope["seq"], item["payload"]) == (event["sequence"], encode(event["payload"]))


async def test_cbor_items_without_payload(store: Store) -> None:
    """`payload=none` leaves the payload out of each item."""
    response = await store.get("/api/v1/events?n=1&payload=none", accept=CBOR)
    assert set(cbor2.loads(response.content)) == {"envelope", "leaf_hash"}


@pytest.mark.parametrize("query", ["after=1000000", "log=other", "after=3&log=00"])
@pytest.mark.parametrize("accept", ["application/json", NDJSON, CBOR])
async def test_cursor_of_another_log_is_409(store: Store, query: str, accept: str) -> None:
    """A cursor beyond the head or of another log is LOG_REWOUND with this log's id and head, never silence."""
    feed = await store.json("/api/v1/events")
    response = await store.get(f"/api/v1/events?{query}", accept=accept)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (409, "LOG_REWOUND")
    assert problem["errors"] == {"log_id": feed["log_id"], "head": feed["head"]}
    assert response.headers["artifactstore-log-id"] == feed["log_id"]
    assert response.headers["artifactstore-log-head"] == str(feed["head"])


async def test_cursor_of_this_log_goes_on(store: Store) -> None:
    """A cursor with the right log id at the head is an empty page, not an error."""
    feed = await store.json("/api/v1/events")
    page = await store.json(f"/api/v1/events?after={feed['head']}&log={feed['log_id']}")
    assert (page["events"], page["scanned"], page["next"]) == ([], feed["head"], None)


@pytest.mark.parametrize(
    ("query", "name"), [("after=x", "after"), ("n=0", "n"), ("payload=all", "payload"), ("repository=/", "repository")]
)
async def test_bad_cursor_is_named(store: Store, query: str, name: str) -> None:
    """A parameter that makes no sense is 400 with its name."""
    response = await store.get(f"/api/v1/events?{query}")
    assert (response.status_code, response.json()["errors"]["parameter"]) == (400, name)


async def test_other_representations_are_406(store: Store) -> None:
    """What the feed cannot be written in is refused with what it can."""
    response = await store.get("/api/v1/events", accept="text/event-stream")
    assert (response.status_code, response.json()["code"]) == (406, "NOT_ACCEPTABLE")


async def test_head_is_never_behind_what_was_scanned(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log grows while a page is read, the head that is told includes the events told."""
    read = store.registry.log.read

    async def read_late(*arguments: Any, **options: Any) -> LogPage:
        await store.blob("c/z", b"late")
        return await read(*arguments, **options)

    monkeypatch.setattr(store.registry.log, "read", read_late)
    feed = await store.json("/api/v1/events")
    assert feed["events"][-1]["stream"] == "c/z"
    assert feed["head"] == feed["scanned"] == feed["events"][-1]["sequence"]
