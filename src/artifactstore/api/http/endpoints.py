"""One table row for each native endpoint: the route and its page in the OpenAPI document are both made from it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route

from artifactstore.api.http.answers import Answer
from artifactstore.api.http.asgi import Receive, Scope, Send
from artifactstore.api.http.calls import Call
from artifactstore.api.http.errors import problem
from artifactstore.errors import ParameterInvalid, Unsupported
from artifactstore.registry.registry import Registry

Handle = Callable[[Registry, Call], Awaitable[Answer]]
Schema = Mapping[str, Any]
_CONVERTOR = re.compile(r":[a-z]+}")


class _PackageConvertor(Convertor[str]):
    """`{repository}@{digest}` or `{repository}:{tag}`: slashes only before the sign, which ends the repository."""

    regex = "[^@:]+[@:][^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _RestConvertor(_PackageConvertor):
    """The rest of the path, whatever it holds."""

    regex = r"[\s\S]+"


register_url_convertor("package", _PackageConvertor())
register_url_convertor("file", _RestConvertor())
register_url_convertor("repository", _RestConvertor())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an endpoint: `where` is `path`, `query` or `header`."""

    name: str
    where: str
    schema: Schema
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a method does at a path, and with what it is answered.

    method    GET stands for HEAD too
    path      as Starlette reads it: `{name:convertor}`
    answers   status -> media type -> schema of the body
    problems  the statuses of the refusals that it may answer, beside 400, 405, 500 and 503, which every one may
    """

    path: str
    operation: str
    summary: str
    handle: Handle
    parameters: tuple[Parameter, ...] = ()
    answers: Mapping[int, Mapping[str, Schema]] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    method: str = "GET"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that it answers."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it: `{name}`."""
        return _CONVERTOR.sub("}", self.path)

    @property
    def query_names(self) -> frozenset[str]:
        """The query parameters that it knows."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.where == "query")


class NativeRoute(Route):
    """The route of a path: calls the endpoint of the method, and answers what it raises as a problem."""

    def __init__(self, endpoints: Iterable[Endpoint], registry: Registry) -> None:
        self.by_method = {method: endpoint for endpoint in endpoints for method in endpoint.methods}
        self.registry = registry
        first = next(iter(self.by_method.values()))
        super().__init__(first.path, self._never, methods=list(self.by_method), name=first.operation)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self.answer(Call(scope, receive))
        await answer(scope, receive, send)

    async def answer(self, call: Call) -> Answer:
        """What the endpoint says; never raises."""
        endpoint = self.by_method.get(call.method)
        try:
            if endpoint is None:
                raise Unsupported(f"{call.method[:20]} is not offered here")
            _check_query(endpoint, call)
            return await endpoint.handle(self.registry, call)
        except Unsupported as error:
            others = ", ".join(method for method in self.by_method if method != call.method)
            return problem(error).adding((b"allow", others.encode()))
        except Exception as error:
            return problem(error)

    async def _never(self, _: object) -> None:
        """What Starlette would call; `handle` takes its place."""


def routes_of(endpoints: Iterable[Endpoint], registry: Registry) -> list[BaseRoute]:
    """A route for each path."""
    return [NativeRoute(found, registry) for found in by_path(endpoints).values()]


def by_path(endpoints: Iterable[Endpoint]) -> dict[str, list[Endpoint]]:
    """Path template -> what is offered there, in order."""
    found: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        found.setdefault(endpoint.template, []).append(endpoint)
    return found


def _check_query(endpoint: Endpoint, call: Call) -> None:
    """A parameter that is not known or comes twice is refused: a misspelt filter must not widen the answer."""
    seen: set[str] = set()
    for name, _ in call.query:
        if name not in endpoint.query_names or name in seen:
            known = sorted(endpoint.query_names)
            fault = "comes twice" if name in seen else "is not a parameter of this endpoint"
            raise ParameterInvalid(f"{name[:100]} {fault}", detail={"parameter": name[:100], "known": known})
        seen.add(name)
