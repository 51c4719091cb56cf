"""Addresses of servers, and the rule that a server may send us on to itself only. No I/O."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

import httpx

from artifactstore.config import is_loopback
from artifactstore.errors import BackendUnavailable, ParameterInvalid

PORTS = {"http": 80, "https": 443}
PORT_MAX = 65535
Origin = tuple[str, str, int]


def base_url(text: str) -> str:
    """The address of a server, without a slash at its end.

    Without `http://` or `https://` before it, it is https, and http for this machine itself. Raises ParameterInvalid.
    """
    address = text if "://" in text else f"{'http' if is_loopback(host_of(text)) else 'https'}://{text}"
    parts = urlsplit(address)
    try:
        origin(address)
    except ValueError:
        raise ParameterInvalid(
            "not the address of a server: expected http(s)://HOST[:PORT]", detail=_said(text)
        ) from None
    if "@" in parts.netloc:
        raise ParameterInvalid("an address has no password in it: `docker login` and its like keep them")
    if parts.query or parts.fragment:
        raise ParameterInvalid("the address of a server has no query and no fragment", detail=_said(text))
    return address.rstrip("/")


def host_of(authority: str) -> str:
    """The host of `HOST[:PORT][/PATH]`, an IPv6 one without its brackets; empty when there is none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def origin(url: str) -> Origin:
    """Scheme, host and port (RFC 6454), as the library reads them that goes there: spellings of a host become one.

    Raises ValueError for what is no http(s) address.
    """
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError(url) from None
    host, port = parts.raw_host.decode(), parts.port or PORTS.get(parts.scheme, 0)
    if parts.scheme not in PORTS or not host or port > PORT_MAX:
        raise ValueError(url)
    return parts.scheme, host, port


def sent_on(url: str, target: str) -> str:
    """Where a `Location` or `Link` in an answer from `url` leads. Raises BackendUnavailable for another server.

    Whoever can make a server name another host would else have us carry content, or credentials, there.
    """
    try:
        address = urljoin(url, target)
        same = origin(address) == origin(url)
    except ValueError:
        address, same = target, False
    if not same:
        raise BackendUnavailable(
            f"the server at {site(url)} sends its client on to another server, which is not followed",
            detail={"to": target[:200]},
        )
    return address


def site(url: str) -> str:
    """`http://HOST[:PORT]` of an address, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_private(host: str) -> bool:
    """Whether this is an address within this machine or its network, or a name of this machine.

    A number that resolvers take for an address (`127.1`, `0x7f000001`) is written so to hide which one it is.
    """
    name = host.lower().rstrip(".")
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return name == "localhost" or name.endswith(".localhost") or _is_number(name)


def _is_number(name: str) -> bool:
    try:
        socket.inet_aton(name)
    except OSError:
        return False
    return True


def _said(text: str) -> dict[str, str]:
    return {"address": text[:200]}
