# SPDX-License-Identifier: Apache-2.0
"""
One-time codes (TOTP, RFC 6238) as AWS's virtual MFA devices make them: HMAC-SHA-1, six digits, steps of 30 seconds.

Pure: whoever calls brings the seed and the steps. pyotp derives the codes; its own verification reads the machine's clock and
is not used. Which steps count, and that each counts once, is for ``second_factor``.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

import pyotp

from daypass.access.limits import CODE_WINDOW_STEPS, RESYNC_STEPS
from daypass.credentials import Secret

STEP_SECONDS: Final = 30
_SEED_BYTES: Final = 40
"""64 characters of base32, as long as AWS's; RFC 4226 section 4 asks for 16 bytes and recommends 20."""


def new_seed() -> Secret:
    """A fresh seed: 64 characters of RFC 4648's base32 alphabet, 320 random bits."""
    return Secret(base64.b32encode(secrets.token_bytes(_SEED_BYTES)).decode("ascii"))


def key_uri(seed: Secret, *, name: str, account: str, issuer: str) -> Secret:
    """
    What the QR code of a new device says: ``otpauth://totp/ISSUER:NAME@ACCOUNT?secret=...&issuer=ISSUER``, the form of AWS's
    (IAM API, VirtualMFADevice: QRCodePNG) with an issuer in front, which authenticator apps show.
    """
    uri = pyotp.TOTP(seed.reveal()).provisioning_uri(name=f"{name}@{account}", issuer_name=issuer)
    return Secret(uri)


def step_at(now: float) -> int:
    """The number of the time step that an instant lies in (RFC 6238 section 4.2)."""
    return int(now) // STEP_SECONDS


def step_of_code(seed: Secret, code: str, centre: int) -> int | None:
    """
    The newest step of the window around ``centre`` that this is the code of, or None.

    The newest, so that a code which two steps happen to share is spent for both. Every step is compared, in constant time.
    """
    found = None
    for step in _steps(centre, CODE_WINDOW_STEPS):
        if _same(_code(seed, step), code):
            found = step
    return found


def step_of_pair(seed: Secret, first: str, second: str, centre: int) -> int | None:
    """The newest step that ``second`` is the code of, with ``first`` the code of the step before it; or None."""
    found = None
    before = _code(seed, max(0, centre - RESYNC_STEPS - 1))
    for step in _steps(centre, RESYNC_STEPS):
        code = _code(seed, step)
        if _same(before, first) & _same(code, second):  # not ``and``: both are compared
            found = step
        before = code
    return found


def _steps(centre: int, reach: int) -> Iterable[int]:
    return range(max(0, centre - reach), centre + reach + 1)


def _code(seed: Secret, step: int) -> str:
    return pyotp.TOTP(seed.reveal(), digits=6, interval=STEP_SECONDS).generate_otp(step)


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())
