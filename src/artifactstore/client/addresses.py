"""Addresses of servers, and the rule that a server may send us on to itself only. No I/O."""

from __future__ import annotations

import ipaddress
from urllib.parse import urljoin, urlsplit

from artifactstore.config import is_loopback
from artifactstore.errors import BackendUnavailable, ParameterInvalid

PORTS = {"http": 80, "https": 443}
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
    """Scheme, host and port (RFC 6454). Raises ValueError for what is no http(s) address."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(url)
    return parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]


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
    """Whether this is an address (not a name) within this machine or its network."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _said(text: str) -> dict[str, str]:
    return {"address": text[:200]}
