# SPDX-License-Identifier: Apache-2.0
"""
Second factors: a code of the caller's own MFA device, shown with the request itself (STS API: SerialNumber, TokenCode).

    Caller, serial number, code -- show --> the instant of the proof

What it counts for is decided by conditions on ``aws:MultiFactorAuthPresent`` and ``aws:MultiFactorAuthAge``. Devices are made,
enabled and brought back into step by ``daypass.iam``, by the functions at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from daypass.access.authenticate import Caller
from daypass.access.limits import CODE_WINDOW_STEPS, FIRST_LOCK_SECONDS, LONGEST_LOCK_SECONDS, WRONG_CODES
from daypass.access.totp import step_at, step_of_code, step_of_pair
from daypass.credentials import Secret
from daypass.errors import AuthenticationError, Reason, RequestError
from daypass.principal import Root
from daypass.sealing import MasterKey
from daypass.store import MfaDevice, Store, View

ROOT_OWNER: Final = "root"
"""What stands in ``MfaDevice.user_id`` for the root user of the account."""

_WRONG: Final = "MultiFactorAuthentication failed with invalid MFA one time pass code."
_UNKNOWN: Final = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and"
    " associated with this user."
)
"""AWS's words, with its two spaces: clients look for them."""


class SecondFactors:
    """Verifies codes, and spends them."""

    def __init__(self, store: Store, master: MasterKey) -> None:
        self._store = store
        self._master = master

    async def shown(self, caller: Caller, parameters: Mapping[str, object], now: float) -> Caller:
        """
        The caller, with the second factor that the request brings in SerialNumber and TokenCode; as it is, when it brings none.

        Raises RequestError when it brings half of one, and what ``show`` raises.
        """
        serial, code = parameters.get("SerialNumber"), parameters.get("TokenCode")
        if serial is None and code is None:
            return caller
        if not isinstance(serial, str) or not isinstance(code, str):
            message = "SerialNumber and TokenCode belong together: expected both of them, or neither."
            raise RequestError(Reason.SECOND_FACTOR_INCOMPLETE, message)
        return replace(caller, mfa_at=await self.show(caller, serial, code, now))

    async def show(self, caller: Caller, serial: str, code: str, now: float) -> int:
        """
        The instant of the proof, in whole seconds. In this order:

        1. the caller has long-term credentials: a session has the second factor it was made with, or none (IAM User Guide,
           "Secure API access with MFA": users call AssumeRole and GetSessionToken with their access keys);
        2. the device is one of the caller's own, and enabled; another's and one that is not there answer alike;
        3. it is not locked, or even the right code is refused, in the words for a wrong one;
        4. the code is that of a step in the window, as the device's clock goes;
        5. the step is newer than any that was spent; it is spent, and wrong codes are counted, in one transaction.

        Raises AuthenticationError (AccessDenied on the wire), UnavailableError when the store cannot be written: no code counts
        that is not spent. **A code is spent even if the request it came with is then denied.**
        """
        if caller.session is not None:
            raise AuthenticationError(Reason.CREDENTIALS_UNFIT, _UNKNOWN)
        self._refuse_locked(_own_device(self._store.view(), caller, serial), now)  # writes nothing while it is locked
        async with self._store.transaction() as transaction:
            device = _own_device(transaction.view, caller, serial)
            self._refuse_locked(device, now)
            following, refusal = _judged(device, opened_seed(self._master, device), code, now)
            if following != device:
                await transaction.put(following)
        # What was counted is kept: this is raised when it is on the disk.
        if refusal is not None:
            raise AuthenticationError(refusal, _WRONG)
        return int(now)

    def _refuse_locked(self, device: MfaDevice, now: float) -> None:
        if now < locked_until(device):
            raise AuthenticationError(Reason.SECOND_FACTOR_LOCKED, _WRONG)


def _own_device(view: View, caller: Caller, serial: str) -> MfaDevice:
    """The caller's device with this serial number. Raises AuthenticationError."""
    device = device_with_serial(view, caller.principal.account, serial)
    if isinstance(caller.principal, Root):
        owner: str | None = ROOT_OWNER
    else:
        owner = None if caller.user is None else caller.user.unique_id
    if device is None or owner is None or device.user_id != owner:
        raise AuthenticationError(Reason.SECOND_FACTOR_UNKNOWN, _UNKNOWN)
    return device


def _judged(device: MfaDevice, seed: Secret, code: str, now: float) -> tuple[MfaDevice, Reason | None]:
    """The device as the code leaves it, and why the code is refused, if it is."""
    step = step_of_code(seed, code, step_at(now) + device.drift)
    if step is None:
        return replace(device, failures=device.failures + 1, failed_at=int(now)), Reason.SECOND_FACTOR_WRONG
    if step <= device.last_step:
        # Nobody guessed it: it does not count as wrong, or a loop of commands would lock its user out.
        return device, Reason.SECOND_FACTOR_SPENT
    return replace(device, last_step=step, failures=0, failed_at=0), None


def locked_until(device: MfaDevice) -> int:
    """The instant until which no code of a device counts; 0 while few enough were wrong."""
    beyond = device.failures - WRONG_CODES
    if beyond < 0:
        return 0
    doublings = min(beyond, LONGEST_LOCK_SECONDS.bit_length())  # more would be cut anyway
    return device.failed_at + min(FIRST_LOCK_SECONDS << doublings, LONGEST_LOCK_SECONDS)


def device_with_serial(view: View, account: str, serial: str) -> MfaDevice | None:
    """The device of an account whose serial number, to the letter, is this one; enabled or not."""
    device = view.mfa_devices.with_name(account, serial.rpartition("/")[2])
    return device if device is not None and device.arn == serial else None


def brought_into_step(device: MfaDevice, seed: Secret, first: str, second: str, now: float) -> MfaDevice:
    """
    The device after it has shown two codes in a row: both are spent, what was wrong before is forgotten, and how far its clock
    is off is known. A difference within the window is no drift: it is the time that typing took.

    Raises AuthenticationError. It works on a locked device too: it is the way out for who has it.
    """
    present = step_at(now)
    step = step_of_pair(seed, first, second, present)
    if step is None or step - 1 <= device.last_step:
        raise AuthenticationError(Reason.AUTHENTICATION_CODES_INVALID, "Authentication code for device is not valid.")
    drift = step - present
    if abs(drift) <= CODE_WINDOW_STEPS:
        drift = 0
    return replace(device, last_step=step, drift=drift, failures=0, failed_at=0)


def wrapped_seed(master: MasterKey, serial: str, seed: Secret) -> bytes:
    """A seed for the store, under the master key; a row copied to another device's does not open."""
    return master.wrap(seed.reveal().encode("ascii"), _seed_label(serial))


def opened_seed(master: MasterKey, device: MfaDevice) -> Secret:
    """The seed of a device, for the moment it is needed in. Raises ConfigurationError when it does not open."""
    return Secret(master.unwrap(device.wrapped_seed, _seed_label(device.arn)).decode("ascii"))


def _seed_label(serial: str) -> bytes:
    return b"daypass mfa seed v1 " + serial.encode()
