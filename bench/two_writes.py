# SPDX-License-Identifier: Apache-2.0
"""
``python -m bench.two_writes``: how many segments an answer of daypass takes. Exit code 1 when it is more than one.

uvicorn writes the head and the body of an answer one after the other, and leaves it to the event loop to send them together.
uvloop 0.23.0 sends each at once: two system calls, two packets, 35 to 40 % more CPU time for a small answer. The kernel
counts the segments with data that a connection received (tcp(7), TCP_INFO, tcpi_data_segs_in), which no timing changes:
on loopback one write is one segment. A server that is known to write twice is counted first, to show that it would show.
"""

from __future__ import annotations

import socket
import struct
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.targets import TargetError, running_targets
from bench.workload import OPERATIONS

REQUESTS: Final = 20
_DATA_SEGMENTS_IN: Final = 152
"""The offset of tcpi_data_segs_in, a 32-bit number, in Linux's struct tcp_info (since 4.6)."""


def main() -> None:
    """Count and print."""
    if control() != 2:
        sys.exit("bench: the kernel does not count the segments of a connection; nothing can be said")
    worst = 0.0
    try:
        with (
            tempfile.TemporaryDirectory(prefix="daypass-bench-") as directory,
            running_targets(Path(directory), ("daypass",)) as (targets, workload),
        ):
            for operation in OPERATIONS:
                requests = workload.requests(operation, targets[0].url)[:REQUESTS]
                found = segments(targets[0].url, requests)
                worst = max(worst, found)
                print(f"{operation:<27}{found:>6.2f} segments an answer")
    except TargetError as error:
        sys.exit(f"bench: {error}")
    if worst > 1:
        sys.exit("bench: an answer is sent in more than one write; is uvloop 0.23.0 or later installed?")


def segments(url: str, requests: list[bytes]) -> float:
    """The segments with data per answer, over requests on one connection."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        for request in requests:
            connection.sendall(request)
            _read_answer(connection)
        return _received(connection) / len(requests)


def control() -> float:
    """What is counted of a server that writes the head and the body of its answer one after the other: two."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_write_twice, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        return segments(f"http://127.0.0.1:{port}", [b"GET / HTTP/1.1\r\n\r\n"] * REQUESTS)


def _write_twice(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(65_536):
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
            connection.sendall(b"ok")


def _read_answer(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next(int(value) for name, _, value in fields if name == b"content-length")
    while len(body) < length:
        body += _some(connection)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise TargetError("the server closed the connection")
    return data


def _received(connection: socket.socket) -> int:
    information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(information) < _DATA_SEGMENTS_IN + 4:
        return 0
    count: int = struct.unpack_from("=I", information, _DATA_SEGMENTS_IN)[0]
    return count


if __name__ == "__main__":
    main()
