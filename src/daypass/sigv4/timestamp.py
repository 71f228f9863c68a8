# SPDX-License-Identifier: Apache-2.0
"""
The dates of a signature: ISO 8601's basic form, and the Date header of RFC 9110 section 5.6.7.

One form is accepted, to the second and in UTC: ``20150830T123600Z``. A Date header may be used instead of X-Amz-Date and
then has the form of HTTP, ``Sun, 30 Aug 2015 12:36:00 GMT`` (botocore writes its zone as ``-0000``), or the form above.
"""

from __future__ import annotations

import datetime
import functools
import re
from typing import Final

from daypass.errors import AuthenticationError, Reason

_BASIC: Final = re.compile(rb"([0-9]{8})T([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])Z")
_HTTP: Final = re.compile(
    rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    rb" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|[+-]0000)"
)
_DAYS: Final = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_EPOCH_DAY: Final = datetime.date(1970, 1, 1).toordinal()


@functools.lru_cache(maxsize=64)  # requests of the same second carry the same text
def instant_of(timestamp: bytes) -> int:
    """Seconds since the epoch of ``20150830T123600Z``. Raises AuthenticationError for any other form or an unreal date."""
    match = _BASIC.fullmatch(timestamp)
    if match is None:
        raise _malformed()
    day, hours, minutes, seconds = match.groups()
    try:
        return _midnight(day) + int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    except ValueError:
        raise _malformed() from None


def timestamp_of_date_header(value: bytes) -> bytes:
    """The basic form of a Date header's value. Raises AuthenticationError when it has neither accepted form."""
    if _BASIC.fullmatch(value):
        return value
    match = _HTTP.fullmatch(value)
    if match is None or match[3] not in _MONTHS:
        raise _malformed()
    month = _MONTHS.index(match[3]) + 1
    day = b"%b%02d%b" % (match[4], month, match[2])
    try:
        weekday = datetime.date(int(match[4]), month, int(match[2])).weekday()
    except ValueError:
        raise _malformed() from None
    if _DAYS[weekday] != match[1]:
        raise _malformed()
    return b"%bT%b%b%bZ" % (day, match[5], match[6], match[7])


def basic(instant: float) -> str:
    """``20150830T123600Z`` of an instant (whole seconds, rounded down), for AWS's messages."""
    return datetime.datetime.fromtimestamp(int(instant // 1), datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def _midnight(day: bytes) -> int:
    """Seconds since the epoch at the start of a day, ``20150830``. Raises ValueError for a day that never was."""
    return (datetime.date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal() - _EPOCH_DAY) * 86_400


def _malformed() -> AuthenticationError:
    return AuthenticationError(
        Reason.SIGNATURE_DATE_MALFORMED, "Date must be in ISO-8601 'basic format', e.g. '20150830T123600Z'."
    )
