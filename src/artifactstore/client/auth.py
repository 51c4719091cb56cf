"""What to send as Authorization, learnt from what a registry answers 401 with: Basic, or a Bearer token.

RFC 7617 and 6750; the token's terms are those of Docker's "Token Authentication Specification".
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from artifactstore.client import addresses, failures
from artifactstore.client.credentials import Login, find_login
from artifactstore.client.http import Http
from artifactstore.config import docker_config
from artifactstore.errors import BackendUnavailable

TOKEN_SIZE_MAX = 64 << 10
TOKEN_SECONDS = 60
"""How long a token lasts that does not say."""
EARLY_SECONDS = 10
"""So long before its end a token is not used any more: the request it goes with takes time, too."""
CLIENT_ID = "artifactstore"
SCHEMES = ("bearer", "basic")
"""What is understood, the better first: a token may be had without a login, too."""
TOKEN_SECONDS_MAX = 24 * 3600
CHALLENGES_MAX = 8 << 10
"""Bytes of a WWW-Authenticate; one that is longer is not looked at."""
_WORD = re.compile(r'([a-zA-Z0-9_-]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?')
"""A word alone is a scheme; one with a value is a parameter of the scheme before it."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server wants: its scheme in small letters, and the parameters."""

    scheme: str
    parameters: dict[str, str]

    @classmethod
    def parse_all(cls, header: str) -> list[Challenge]:
        """Read the challenges of a WWW-Authenticate (RFC 9110 11.6.1), each with its own parameters."""
        found: list[Challenge] = []
        for word, value, quoted, bare in _WORD.findall(header if len(header) <= CHALLENGES_MAX else ""):
            if not value:
                found.append(cls(word.lower(), {}))
            elif found:
                found[-1].parameters.setdefault(word.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
        return found


def connect(address: str, *scopes: str) -> Http:
    """A registry, with the login that docker's config has for it, if it wants one; `scopes` are for its tokens."""
    base = addresses.base_url(address)
    file = docker_config()
    return Http(base, authorizer=RegistryAuthorizer(base, lambda: find_login(file, urlsplit(base).netloc), scopes))


class RegistryAuthorizer:
    """The credentials of one registry. `login` is asked for once, when the registry first wants to know.

    `scopes` are what the copy will need (`repository:NAME:pull,push`), asked for together, so that no token is too
    small. Many requests may be refused at the same time; one of them fetches the token.
    """

    def __init__(self, base_url: str, login: Callable[[], Awaitable[Login | None]], scopes: Iterable[str]) -> None:
        self._base_url = addresses.base_url(base_url)
        self._find_login = login
        self._scopes = list(scopes)
        self._challenge: Challenge | None = None
        self._header: str | None = None
        self._until = float("inf")
        self._learning = asyncio.Lock()

    async def header(self) -> str | None:
        """What was learnt; a token near its end is fetched anew."""
        async with self._learning:
            if self._challenge is not None and time.monotonic() > self._until:
                await self._learn(self._challenge)
            return self._header

    async def challenged(self, response: httpx.Response) -> bool:
        """Learn from a 401 of the registry itself; what another wants, to which it redirected, is not answered."""
        if addresses.origin(str(response.request.url)) != addresses.origin(self._base_url):
            return False
        async with self._learning:
            sent = response.request.headers.get("authorization")
            if self._header is not None and self._header != sent:
                return True  # another request has learnt it in the meantime
            before = self._header
            told = Challenge.parse_all(", ".join(response.headers.get_list("www-authenticate")))
            known = [each for scheme in SCHEMES for each in told if each.scheme == scheme]
            if known:
                await self._learn(known[0])
            return self._header is not None and self._header != before

    async def _learn(self, challenge: Challenge) -> None:
        login = await self._find_login()
        self._challenge = challenge
        if challenge.scheme == "basic":
            self._header = login.basic if login else None
        else:
            self._header = f"Bearer {await self._token(challenge, login)}"

    async def _token(self, challenge: Challenge, login: Login | None) -> str:
        """A token for all scopes; without a login, one that anybody may have. Raises BackendUnavailable, Denied."""
        realm = self._realm(challenge)
        asked = {name: challenge.parameters[name] for name in ("service",) if name in challenge.parameters}
        told = challenge.parameters.get("scope")
        scopes = list(dict.fromkeys([*self._scopes, *([told] if told else [])]))
        async with Http(f"{urlsplit(realm).scheme}://{urlsplit(realm).netloc}") as http:
            if login is not None and login.identity_token:
                fields = {**asked, "grant_type": "refresh_token", "refresh_token": login.identity_token}
                form = urlencode({**fields, "client_id": CLIENT_ID, "scope": " ".join(scopes)}).encode()
                headers = {"content-type": "application/x-www-form-urlencoded"}
                response = await http.request("POST", realm, headers=headers, content=form, size_max=TOKEN_SIZE_MAX)
            else:
                query = urlencode([*asked.items(), *(("scope", scope) for scope in scopes)])
                headers = {"authorization": login.basic} if login else {}
                address = f"{realm}{'&' if urlsplit(realm).query else '?'}{query}"
                response = await http.request("GET", address, headers=headers, size_max=TOKEN_SIZE_MAX)
        return self._kept(response)

    def _kept(self, response: httpx.Response) -> str:
        """The token of an answer, and until when it may be used. Raises BackendUnavailable."""
        try:
            said = json.loads(response.content)
            token = said.get("token") or said.get("access_token")
            seconds = said.get("expires_in") or TOKEN_SECONDS
        except (ValueError, AttributeError, RecursionError):
            token, seconds = None, TOKEN_SECONDS
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise failures.nonsense(response, "no token")
        lasting = min(TOKEN_SECONDS_MAX, seconds) if isinstance(seconds, int | float) else TOKEN_SECONDS
        self._until = time.monotonic() + max(lasting - EARLY_SECONDS, lasting / 2)
        return token

    def _realm(self, challenge: Challenge) -> str:
        """Where tokens are had. Raises BackendUnavailable for a place that no password should be sent to.

        Another host must be https, and no address within this machine or network may be named by anybody but the
        registry that lies there (GHSA advisories of several clients).
        """
        realm = challenge.parameters.get("realm", "")
        try:
            there, here = addresses.origin(realm), addresses.origin(self._base_url)
        except ValueError:
            there = here = ("", "", 0)
        safe = there[0] == "https" or there[:2] == here[:2]
        trusted = there == here or (safe and not addresses.is_private(there[1]))
        if not there[0] or not trusted:
            site = addresses.site(self._base_url)
            raise BackendUnavailable(
                f"{site} sends its client for a token to a place that is not trusted: {realm[:200]}"
            )
        return realm
