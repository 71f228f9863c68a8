# SPDX-License-Identifier: Apache-2.0
"""
One of several workers, picked by suspending the others: a connection waits in the queue that they share, and the one that
runs takes it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from journeys.roles import Issuer, role_arn
from journeys.wire import Answer, Call, get_caller_identity
from running import Keys, Server, get

ATTEMPTS = 6


def wait_until_ready(server: Server) -> None:
    """Both workers answer: a connection made while the other is suspended is answered."""
    while get(server.health)[0] != 200 or len(server.workers()) != 2:
        assert server.running
    for worker in server.workers():
        with only(server, worker):
            assert get_caller_identity(server.url).signed(server.root()).send().status == 200


@contextmanager
def only(server: Server, worker: int) -> Iterator[None]:
    """While the block runs, every new connection is answered by this worker."""
    others = [pid for pid in server.workers() if pid != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def ask(server: Server, worker: int, action: str, **parameters: str) -> Answer:
    """One IAM request of the root user to one worker, over a connection of its own."""
    return ask_as(server.root(), server, worker, action, **parameters)


def ask_as(keys: Keys, server: Server, worker: int, action: str, **parameters: str) -> Answer:
    """
    The same as somebody else. A worker that is suspended while it writes down uses keeps the write lock; then the answer is 503
    after a while, and the question is put again.
    """
    attempts = 0
    while True:
        with only(server, worker):
            answer = Call(server.url, "iam", action, parameters).signed(keys).send()
        attempts += 1
        if answer.status != 503 or attempts == ATTEMPTS:
            return answer
        for _ in range(4):  # while nobody is suspended, so that whoever has the lock comes to its end
            get_caller_identity(server.url).signed(server.root()).send()


def session(server: Server, worker: int, issuer: Issuer, role: str) -> Keys:
    """Keys of a new session of a role, made by this worker."""
    given = {"RoleArn": role_arn(role), "RoleSessionName": "session", "WebIdentityToken": issuer.token()}
    with only(server, worker):
        answer = Call(server.url, "sts", "AssumeRoleWithWebIdentity", given).unsigned().send()
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return Keys.of({name: answer.text(name) for name in names})
