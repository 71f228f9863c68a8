# SPDX-License-Identifier: Apache-2.0
"""Workers that end are seen to have ended."""

from __future__ import annotations

import threading
import time
from multiprocessing import Pipe
from types import SimpleNamespace
from typing import Any

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Process

from daypass.server.process import SILENT_SECONDS, _Supervisor


def test_a_worker_that_ends_while_it_is_asked_is_seen_at_once() -> None:
    worker: Any = Process.__new__(Process)
    worker.parent_conn, worker.child_conn = Pipe()  # its own copy of its end has gone with it
    worker.process = SimpleNamespace(
        is_alive=lambda: True, kill=lambda: None, join=lambda: None, pid=1, exitcode=STARTUP_FAILURE
    )
    supervisor: Any = _Supervisor.__new__(_Supervisor)
    supervisor.processes = [worker]
    supervisor.should_exit = threading.Event()
    supervisor.config = SimpleNamespace(timeout_worker_healthcheck=SILENT_SECONDS)
    began = time.perf_counter()
    supervisor.keep_subprocess_alive()
    assert supervisor.should_exit.is_set()  # as for every worker that did not start
    assert time.perf_counter() - began < SILENT_SECONDS / 2
