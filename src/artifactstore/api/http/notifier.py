"""Telling systemd how the server stands: sd_notify(3), which is a datagram to a socket that systemd names."""

from __future__ import annotations

import logging
import socket

READY = "READY=1"
STOPPING = "STOPPING=1"
log = logging.getLogger(__name__)


class Notifier:
    """Sends to the socket at `address`; `@` begins an abstract one. Without an address it says nothing."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def say(self, *words: str) -> None:
        """Send, and never fail or wait: a server does not depend on who watches it."""
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as wire:
                wire.sendto("\n".join(words).encode(), address)
        except OSError as error:
            log.warning("NOTIFY_SOCKET %s cannot be told %s: %s", self._address, " ".join(words), error.strerror)
