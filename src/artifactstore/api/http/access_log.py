"""The access log: one line of JSON for each request, written when it is over (docs/operate.md, "Access log").

No header goes in but User-Agent and X-Request-Id. Of the target, what may be a secret stays out: the values of query
parameters that this server does not know, and a name or password before a host.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from functools import lru_cache
from itertools import count

from artifactstore.api.http.line_writer import LineWriter
from artifactstore.api.http.openapi import ENDPOINTS

REQUEST_ID = b"x-request-id"
CLIENT_CLOSED_REQUEST = 499
"""What is logged for a request whose client went away before its answer began; nginx's word, never sent."""

_OF_OCI = {
    "after",
    "artifactType",
    "before",
    "digest",
    "digest-algorithm",
    "from",
    "last",
    "mount",
    "n",
    "since",
    "tag",
}
SHOWN_PARAMETERS = frozenset(_OF_OCI.union(*(endpoint.query_names for endpoint in ENDPOINTS)))
"""The query parameters whose values are shown: those that this server knows, none of which is a secret."""

_TARGET_MAX = 2048
_AGENT_MAX = 512
_ABORTED = ',"aborted":true'
_SAFE = re.compile(rb"[ !#-\[\]-~]*")
_ID = re.compile(rb"[!#-\[\]-~]{1,64}")
_PARAMETER = re.compile(rb"([?&])([^=&]*)=([^&]+)")
_USERINFO = re.compile(rb"//[^/?]*@")


class Exchange:
    """One request and its answer, as the log tells of them.

    `received` and `sent` are bytes of bodies; `unsent`: of those, what was still held back when last looked at.
    """

    __slots__ = ("agent", "began", "id", "method", "over", "received", "sent", "status", "target", "unsent")

    def __init__(self) -> None:
        self.began = time.perf_counter_ns()
        self.id = b""
        self.method = ""
        self.target = b""
        self.agent = b""
        self.status = self.received = self.sent = self.unsent = 0
        self.over = False

    def read_head(self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        """Take what the log tells of a request; its id is the client's, if that fits."""
        self.method = method.decode("ascii")
        self.target = target
        for name, value in headers:
            if name == b"user-agent":
                self.agent = value
            elif name == REQUEST_ID and _ID.fullmatch(value):
                self.id = value


class AccessLog:
    """Gives requests their ids, and writes their lines."""

    def __init__(self, target: str) -> None:
        self._lines = LineWriter(target, self._loss)
        self._prefix = secrets.token_hex(6).encode()
        self._numbers = count(1)
        self._second = 0
        self._second_text = ""
        self.reopen = self._lines.reopen
        self.close = self._lines.close

    def new_id(self) -> bytes:
        """An id that no other request has, in this process or another."""
        return b"%s-%x" % (self._prefix, next(self._numbers))

    def write(self, exchange: Exchange, client: str, status: int, *, aborted: bool = False) -> None:
        """The line of a request that is over, unless it has one."""
        if not exchange.over:
            exchange.over = True
            exchange.id = exchange.id or self.new_id()
            self._lines.write(self._line(exchange, client, status, aborted))

    def _line(self, exchange: Exchange, client: str, status: int, aborted: bool) -> str:
        method = f'"{exchange.method}"' if exchange.method else "null"
        return (
            f'{{"time":"{self._now()}","id":"{exchange.id.decode("ascii")}","client":"{client}","method":{method},'
            f'"target":{_target(exchange.target[: _TARGET_MAX + 1])},"status":{status},"received":{exchange.received},'
            f'"sent":{max(0, exchange.sent - exchange.unsent)},'
            f'"microseconds":{(time.perf_counter_ns() - exchange.began) // 1000},'
            f'"agent":{_agent(exchange.agent[: _AGENT_MAX + 1])}{_ABORTED if aborted else ""}}}\n'
        )

    def _now(self) -> str:
        """RFC 3339 in UTC; the text of a second is made once."""
        second, rest = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._second_text}.{rest // 1000:06d}Z"

    def _loss(self, lines: int) -> str:
        return f'{{"time":"{self._now()}","dropped":{lines}}}\n'


@lru_cache(1024)
def _target(value: bytes) -> str:
    """A target as a JSON string, without what may be a secret."""
    if b"?" in value:
        path, mark, query = value.partition(b"?")
        value = path + _PARAMETER.sub(_masked, mark + query)
    return _text(value if value.startswith(b"/") else _USERINFO.sub(b"//...@", value), _TARGET_MAX)


def _masked(found: re.Match[bytes]) -> bytes:
    if found[2].decode("latin-1") in SHOWN_PARAMETERS:
        return found[0]
    return b"%s%s=..." % (found[1], found[2])


def _text(value: bytes, most: int) -> str:
    """A JSON string of at most `most` characters and an ellipsis; what is no ASCII is shown as Latin-1 has it."""
    shown = value if len(value) <= most else value[:most] + b"..."
    if _SAFE.fullmatch(shown):
        return f'"{shown.decode("ascii")}"'
    escaped = json.dumps(shown.decode("latin-1"))
    if len(escaped) <= most:
        return escaped
    return json.dumps(value[: most // 6].decode("latin-1") + "...")  # no byte takes more than six characters


@lru_cache(256)
def _agent(value: bytes) -> str:
    return _text(value, _AGENT_MAX)
