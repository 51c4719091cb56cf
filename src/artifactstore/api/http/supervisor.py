"""Several processes that serve one listening socket, and the one that starts, watches and stops them."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from artifactstore.api.http.notifier import READY, STOPPING, Notifier
from artifactstore.api.http.worker import DRAIN, FORCED, REOPEN, supervised
from artifactstore.config import Config
from artifactstore.errors import BackendUnavailable

RESTART_SECONDS = 1.0
"""A worker that dies again and again is started no more often than this."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SPAWN = get_context("spawn")
log = logging.getLogger(__name__)


class Worker:
    """A process that serves, and the connection over which it hears orders and says that it is ready."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.started = time.monotonic()
        self.is_ready = False
        self.process = _SPAWN.Process(target=supervised, args=(config, listener, theirs))
        self.process.start()
        theirs.close()

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended it, and not what it found."""
        return (self.process.exitcode or 0) < 0

    def order(self, order: bytes) -> None:
        """Have it do something; one that has just died needs no order."""
        with suppress(OSError):
            self.connection.send_bytes(order)

    def hear(self) -> bool:
        """Whether it lives; what it says is that it is ready."""
        try:
            self.connection.recv_bytes()
        except (EOFError, OSError):
            self.connection.close()
            self.process.join()
            return False
        self.is_ready = True
        return True


class Supervisor:
    """Keeps `config.workers` processes serving, whatever kills one of them, until SIGTERM or SIGINT.

    That stops accepting here and drains every worker; the same signal again ends them at once. SIGHUP reopens their
    logs. A worker that ends by itself before it was ready ends all: another try would fail likewise.
    """

    def __init__(self, config: Config, listener: socket.socket, notifier: Notifier) -> None:
        self._config = config
        self._listener = listener
        self._notifier = notifier
        self._workers: dict[Connection, Worker] = {}
        self._asked = 0
        self._failed = self._was_forced = False
        self._is_said = False

    def run(self) -> None:
        """Serve until the last worker has ended.

        Raises BackendUnavailable when a worker cannot start; SystemExit(FORCED) when one cut requests at once.
        """
        with _signals() as signals:
            for _ in range(self._config.workers):
                self._start()
            while self._workers:
                for what in wait([signals, *self._workers]):
                    if what is signals:
                        for number in signals.recv(64):
                            self._obey(number)
                    elif isinstance(what, Connection):
                        self._hear(self._workers[what])
        if self._failed:
            raise BackendUnavailable("a worker cannot start; the log says why")
        if self._was_forced:
            raise SystemExit(FORCED)

    def _start(self) -> None:
        worker = Worker(self._config, self._listener)
        self._workers[worker.connection] = worker

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._order(REOPEN)
        else:
            self._asked += 1
            self._drain()

    def _drain(self) -> None:
        if self._asked <= 1:
            self._listener.close()
            self._notifier.say(STOPPING)
        self._order(DRAIN)

    def _order(self, order: bytes) -> None:
        for worker in self._workers.values():
            worker.order(order)

    def _hear(self, worker: Worker) -> None:
        if worker.hear():
            if not self._is_said and all(worker.is_ready for worker in self._workers.values()):
                self._is_said = True
                self._notifier.say(READY)
            return
        del self._workers[worker.connection]
        self._was_forced |= worker.process.exitcode == FORCED
        if self._asked or self._failed:
            return
        if not worker.is_ready and not worker.was_killed:
            self._failed = True
            self._drain()
            return
        log.error("worker %s ended with %s; another takes its place", worker.process.pid, worker.process.exitcode)
        time.sleep(max(0.0, worker.started + RESTART_SECONDS - time.monotonic()))
        self._start()


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket from which each signal that comes is read as a byte, its number."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        before = [signal.signal(number, lambda *_: None) for number in _SIGNALS]
        signal.set_wakeup_fd(theirs.fileno())
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(number, handler)
