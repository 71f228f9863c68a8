# SPDX-License-Identifier: Apache-2.0
"""
The telemetry listener: is the process alive, and is it ready (``/livez``, ``/readyz``, ``/healthz``), and what has it counted
(``/metrics``).

It runs in a thread of the process that was started, beside the workers and not in them: it answers while they are busy.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

Checks = Mapping[str, Callable[[], bool]]
"""What readiness depends on: a name, and whether it holds now."""

NO_CHECKS: Final[Checks] = {}

Metrics = Callable[[str], tuple[str, bytes]]
"""Makes the content type and the body for ``/metrics``, for what an Accept header asks for."""

_ALIVE: Final = ("/livez",)
_READY: Final = ("/readyz", "/healthz")
_METRICS: Final = "/metrics"


class HealthServer:
    """Serves the health of this process, and its metrics, on an address of its own."""

    def __init__(
        self, host: str, port: int, checks: Checks, metrics: Metrics | None = None, lesser: Checks = NO_CHECKS
    ) -> None:
        """
        Bind the address; raises OSError when it is taken. Without ``metrics`` none are served. ``lesser``: what is said where
        it does not hold, and keeps nobody from being served.
        """
        self._server = ThreadingHTTPServer((host, port), _handler(checks, metrics, lesser))
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that was bound, when 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve until ``close``."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and free the address."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(checks: Checks, metrics: Metrics | None, lesser: Checks) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if metrics is not None and self.path.partition("?")[0] == _METRICS:
                self._send(200, *metrics(self.headers.get("Accept", "")))
            elif self.path in _ALIVE:
                self._answer(200, {"status": "alive"})
            elif self.path in _READY:
                failing, degraded = _not_holding(checks), _not_holding(lesser)
                answer = {"status": "not ready" if failing else "ready", "failing": failing}
                self._answer(503 if failing else 200, {**answer, "degraded": degraded} if degraded else answer)
            else:
                self._answer(404, {"error": "not found"})

        def _answer(self, status: int, content: Mapping[str, object]) -> None:
            self._send(status, "application/json", json.dumps(content).encode() + b"\n")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Health checks are not logged."""

    return Handler


def _not_holding(checks: Checks) -> list[str]:
    return [name for name, holds in checks.items() if not holds()]
