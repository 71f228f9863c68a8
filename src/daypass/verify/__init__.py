# SPDX-License-Identifier: Apache-2.0
"""
For services in Python that verify AWS signatures and ask daypass what callers may (docs/verify.md).

    raw request -- Verifier.identify --> VerifiedCaller -- Verifier.allowed --> Decisions
                   Verifier.authorize: both, or AccessDeniedError

``Verifier`` is for asyncio, ``BlockingVerifier`` for threads. Signing keys and decisions are kept for as long as daypass says,
and no longer: when it is away beyond that, requests are refused. Imports nothing of the server.
"""

from daypass.sigv4 import RawRequest
from daypass.verify.known import Credentials, Decision, Permission, Sender, VerifiedCaller
from daypass.verify.verifier import BlockingVerifier, Verifier

__all__ = [
    "BlockingVerifier",
    "Credentials",
    "Decision",
    "Permission",
    "RawRequest",
    "Sender",
    "VerifiedCaller",
    "Verifier",
]
