"""A registry that breaks one rule: a thin ASGI application in front of the real one, and the rules it can break."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvicorn

from artifactstore.api.http.app import build_app
from artifactstore.api.http.asgi import App, Message, Receive, Scope, Send
from artifactstore.api.http.server import bind
from artifactstore.api.http.worker import uvicorn_config
from artifactstore.config import Config
from tests.http.servers import SECONDS_MAX, wait_for


@dataclass
class Exchange:
    """One request and its answer; a status before the answer is known means that the real server is not asked."""

    scope: Scope
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def query(self) -> bytes:
        return bytes(self.scope["query_string"])

    def asked(self, name: bytes) -> bytes:
        """A header of the request."""
        return b", ".join(value for key, value in self.scope["headers"] if key == name)

    def header(self, name: bytes) -> bytes:
        """A header of the answer."""
        return b", ".join(value for key, value in self.headers if key == name)

    def set(self, name: bytes, *values: bytes) -> None:
        """Replace a header of the answer, or drop it."""
        self.headers = [pair for pair in self.headers if pair[0] != name] + [(name, value) for value in values]

    def answer(self, status: int, body: bytes = b"") -> None:
        """Answer this instead, in the OCI form."""
        self.status = status
        self.body = body or b'{"errors": [{"code": "UNSUPPORTED", "message": "broken", "detail": {}}]}'
        kind = b"application/json"
        self.headers = [(b"content-type", kind), (b"content-length", b"%d" % len(self.body))]

    def edit(self, change: Callable[[Any], Any]) -> None:
        """Change the JSON of the answer."""
        self.body = json.dumps(change(json.loads(self.body))).encode()
        self.set(b"content-length", b"%d" % len(self.body))


Rule = Callable[[Exchange], object]


class Breaking:
    """The application: `before` and `after` see every exchange with `/v2`."""

    def __init__(self) -> None:
        self.inner: App | None = None
        self.before: Rule = nothing
        self.after: Rule = nothing

    def around(self, config: Config) -> Breaking:
        """This application, in front of the real one."""
        self.inner = build_app(config)
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.inner is not None
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        exchange = Exchange(scope)
        self.before(exchange)
        if not exchange.status:
            await self.inner(scope, receive, partial(collect, exchange))
            self.after(exchange)
        await send({"type": "http.response.start", "status": exchange.status, "headers": exchange.headers})
        await send({"type": "http.response.body", "body": exchange.body})


def nothing(exchange: Exchange) -> None:
    """Break nothing."""


async def collect(exchange: Exchange, message: Message) -> None:
    """Keep what the real server sends."""
    if message["type"] == "http.response.start":
        exchange.status, exchange.headers = message["status"], list(message["headers"])
    else:
        exchange.body += message.get("body", b"")


@contextmanager
def in_front(config: Config) -> Iterator[tuple[str, Breaking]]:
    """The breaking server of a migrated store: its URL, and what to set rules on."""
    breaking = Breaking()
    settings = uvicorn_config(config)
    settings.app = partial(breaking.around, config)
    with bind(config) as listener:
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started or not thread.is_alive())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", breaking
        finally:
            server.should_exit = True
            thread.join(SECONDS_MAX)


# Rules that act on the request.


def require_content_length(exchange: Exchange) -> None:
    """A manifest without an announced length is 411."""
    if exchange.method == "PUT" and "/manifests/" in exchange.path and not exchange.asked(b"content-length"):
        exchange.answer(411)


def refuse_sha512(exchange: Exchange) -> None:
    """Only sha256 is known."""
    if b"sha512" in exchange.path.encode() + exchange.query:
        exchange.answer(400)


def refuse_blob_deletion(exchange: Exchange, status: int) -> None:
    """No blob can be deleted."""
    if exchange.method == "DELETE" and "/blobs/sha256:" in exchange.path:
        exchange.answer(status)


def mount_by_name_only(exchange: Exchange) -> None:
    """A mount without a source opens an upload."""
    if b"mount=" in exchange.query and b"from=" not in exchange.query:
        exchange.scope["query_string"] = b""


def drop_request_header(exchange: Exchange, name: bytes, value: bytes = b"") -> None:
    """A request header, or one value of it, is not seen."""
    if not value or exchange.asked(name) == value:
        exchange.scope["headers"] = [pair for pair in exchange.scope["headers"] if pair[0] != name]


def drop_parameter(exchange: Exchange, name: bytes) -> None:
    """A query parameter is not seen."""
    pairs = [pair for pair in exchange.query.split(b"&") if not pair.startswith(name + b"=")]
    exchange.scope["query_string"] = b"&".join(pairs)


def heed_accept(exchange: Exchange) -> None:
    """A manifest is not acceptable to who asks for HTML."""
    if "/manifests/" in exchange.path and exchange.method == "GET" and b"html" in exchange.asked(b"accept"):
        exchange.answer(406)


def read_the_last_accept_line(exchange: Exchange) -> None:
    """Of several lines of Accept the last one counts."""
    lines = [value for key, value in exchange.scope["headers"] if key == b"accept"]
    if len(lines) > 1 and b"manifest.v1" not in lines[-1]:
        exchange.answer(406)


def redirect_to_a_slash(exchange: Exchange) -> None:
    """A path without its slash is a redirect."""
    if exchange.path.endswith("/uploads"):
        exchange.answer(307)
        exchange.set(b"location", exchange.path.encode() + b"/")


# Rules that act on the answer.


def compress(exchange: Exchange) -> None:
    """What is long enough is compressed for who accepts it."""
    if b"gzip" in exchange.asked(b"accept-encoding") and len(exchange.body) > 100 and exchange.status == 200:
        exchange.body = gzip.compress(exchange.body)
        exchange.set(b"content-length")
        exchange.set(b"content-encoding", b"gzip")


def name_a_charset(exchange: Exchange) -> None:
    """JSON is said to be UTF-8."""
    if b"json" in exchange.header(b"content-type"):
        exchange.set(b"content-type", exchange.header(b"content-type") + b"; charset=utf-8")


def drop(exchange: Exchange, name: bytes, method: str = "", status: int = 0) -> None:
    """A header is not sent, perhaps with one method or status only."""
    if (not method or exchange.method == method) and (not status or exchange.status == status):
        exchange.set(name)


def always_sha256(exchange: Exchange) -> None:
    """The digest header is by sha256, whatever was asked."""
    if exchange.header(b"docker-content-digest").startswith(b"sha512:"):
        exchange.set(b"docker-content-digest", b"sha256:" + b"0" * 64)


def cap_tags(exchange: Exchange) -> None:
    """A tag list ends after two, without a Link."""
    if exchange.path.endswith("/tags/list") and exchange.status == 200:
        exchange.edit(lambda value: value | {"tags": value["tags"][:2]})


def reverse_tags(exchange: Exchange) -> None:
    """Tags come in the opposite order."""
    if exchange.path.endswith("/tags/list") and exchange.status == 200:
        exchange.edit(lambda value: value | {"tags": value["tags"][::-1]})


def null_tags(exchange: Exchange) -> None:
    """No tags are null, not an empty list."""
    if exchange.path.endswith("/tags/list") and exchange.status == 200:
        exchange.edit(lambda value: value | {"tags": value["tags"] or None})


def other_status(exchange: Exchange, method: str, found: int, instead: int, part: str = "") -> None:
    """One status is another."""
    if (exchange.method, exchange.status) == (method, found) and part in exchange.path:
        exchange.status = instead


def unlisted_code(exchange: Exchange) -> None:
    """An error has a code that the specification does not list."""
    if exchange.status == 416 and exchange.body:
        exchange.edit(lambda value: {"errors": [value["errors"][0] | {"code": "RANGE_INVALID"}]})


def errors_in_words(exchange: Exchange) -> None:
    """Errors are plain text."""
    if exchange.status >= 400 and exchange.method != "HEAD":
        exchange.body = b"not here"
        exchange.set(b"content-length", b"8")
        exchange.set(b"content-type", b"text/plain")


def no_referrers_no_answer(exchange: Exchange) -> None:
    """An empty list of referrers is 404."""
    if "/referrers/" in exchange.path and b'"manifests": []' in exchange.body.replace(b":[", b": ["):
        exchange.answer(404)


def plain_json_referrers(exchange: Exchange) -> None:
    """Referrers are not said to be an index."""
    if "/referrers/" in exchange.path:
        exchange.set(b"content-type", b"application/json")


def annotate_referrers(exchange: Exchange) -> None:
    """Referrers have an annotation that nobody pushed."""
    if "/referrers/" in exchange.path and exchange.status == 200:
        exchange.edit(lambda value: value | {"manifests": [annotated(entry) for entry in value["manifests"]]})


def annotated(entry: dict[str, Any]) -> dict[str, Any]:
    """A descriptor with one more annotation."""
    return entry | {"annotations": entry.get("annotations", {}) | {"added": "by the registry"}}


def rewrite_manifests(exchange: Exchange) -> None:
    """Manifests come back as other bytes of the same meaning."""
    if "/manifests/" in exchange.path and exchange.method == "GET" and exchange.status == 200:
        exchange.edit(dict)


def link_elsewhere(exchange: Exchange) -> None:
    """A list goes on at another host."""
    if exchange.header(b"link"):
        exchange.set(b"link", exchange.header(b"link").replace(b"</v2", b"<http://elsewhere.example/v2"))


def bytes_in_range(exchange: Exchange) -> None:
    """How far an upload is has a unit."""
    if exchange.header(b"range"):
        exchange.set(b"range", b"bytes=" + exchange.header(b"range"))


def range_one_too_far(exchange: Exchange) -> None:
    """How far an upload is is a length, not the last byte."""
    if exchange.header(b"range"):
        first, _, last = exchange.header(b"range").partition(b"-")
        exchange.set(b"range", b"%b-%d" % (first, int(last) + 1))


def json_type_for_heads(exchange: Exchange) -> None:
    """HEAD has another type than GET."""
    if exchange.method == "HEAD" and exchange.status == 200:
        exchange.set(b"content-type", b"application/json")


def undead_manifests(exchange: Exchange) -> None:
    """Manifests that are not there have a HEAD."""
    if exchange.method == "HEAD" and exchange.status == 404 and "/manifests/" in exchange.path:
        exchange.status = 200
