"""Logins as `docker login` and its like keep them: in `config.json`, or with a program that it names."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artifactstore.errors import ConfigInvalid

HELPER_SECONDS = 30
FILE_SIZE_MAX = 1 << 20
NOT_FOUND = "credentials not found"
"""What helpers say, by docker's protocol for them, when they have no login for a host."""
COMPLAINT_MAX = 500
DOCKER_HUB = "registry-1.docker.io"
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
TOKEN_USER = "<token>"
"""The user under which helpers keep an identity token."""
_HELPER = re.compile(r"[a-zA-Z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password, or a token to get tokens with. Neither is ever shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """Both as an Authorization (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


async def find_login(file: Path, host: str) -> Login | None:
    """The login for `HOST[:PORT]`; None when there is none. Raises ConfigInvalid for a file that cannot be read."""
    try:
        config = json.loads((await asyncio.to_thread(file.read_bytes))[:FILE_SIZE_MAX])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigInvalid(f"{file} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ConfigInvalid(f"{file} is no JSON object")
    spelt = (host, f"https://{host}", f"http://{host}", f"https://{host}/v1/")
    names = (DOCKER_HUB_KEY,) if host == DOCKER_HUB else spelt
    helpers, logins = _mapping(config, "credHelpers"), _mapping(config, "auths")
    helper = next((helpers[name] for name in names if name in helpers), config.get("credsStore"))
    if helper:
        return await _ask(str(helper), names[0])
    return next((login for name in names if (login := _login(logins.get(name)))), None)


def _mapping(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _login(entry: Any) -> Login | None:
    """An entry of `auths`. One that is empty says that a helper has it."""
    if not isinstance(entry, dict):
        return None
    token = entry.get("identitytoken") or ""
    user, password = entry.get("username") or "", entry.get("password") or ""
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(str(entry["auth"])).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise ConfigInvalid("an `auth` in docker's config.json is not base64") from None
    return Login(user, password.rstrip("\0"), token) if user or token else None


async def _ask(helper: str, name: str) -> Login | None:
    """What `docker-credential-<helper> get` says. Raises ConfigInvalid when it is not there, fails or says nonsense."""
    if not _HELPER.fullmatch(helper):
        raise ConfigInvalid(f"docker's config.json names a credential helper that cannot be: {helper[:100]!r}")
    program = f"docker-credential-{helper}"
    pipe = asyncio.subprocess.PIPE
    try:
        running = await asyncio.create_subprocess_exec(program, "get", stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as error:
        raise ConfigInvalid(f"{program}, which docker's config.json names, cannot be run: {error.strerror}") from error
    try:
        said, complaint = await asyncio.wait_for(running.communicate(name.encode()), HELPER_SECONDS)
    except TimeoutError:
        raise ConfigInvalid(f"{program} does not answer") from None
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    if running.returncode:
        words = (said + complaint).decode(errors="replace").strip()
        if NOT_FOUND in words.lower():
            return None
        raise ConfigInvalid(f"{program} failed: {words[:COMPLAINT_MAX] or f'exit status {running.returncode}'}")
    try:
        found = json.loads(said)
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError):
        raise ConfigInvalid(f"{program} answered what is no login") from None
    return Login("", "", secret) if user == TOKEN_USER else Login(user, secret)
