# SPDX-License-Identifier: Apache-2.0
"""
The typed values that conditions compare: numbers, instants, addresses, booleans, bytes.

Every reader takes text and returns a value that compares exactly, or None when the text is not of the type. Dates follow
the W3C profile of ISO 8601 or are seconds since the epoch; addresses follow RFC 4291 and RFC 4632.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import re
from decimal import Decimal, InvalidOperation

from daypass.policy.limits import MAX_ADDRESS

_NUMBER = re.compile(r"[+-]?[0-9]++(\.[0-9]++)?([eE][+-]?[0-9]++)?")
_DIGITS = re.compile(r"[0-9]{1,19}")
_DATE = re.compile(
    r"(?P<year>-?[0-9]{4,9})-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[Tt](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<off_hour>[0-9]{2})(?::(?P<off_minute>[0-9]{2}))?)?)?)?"
)
_PREFIX = re.compile(r"[0-9]{1,3}")
_MAX_SECONDS = 2**63 - 1
_MIN_YEAR, _MAX_YEAR = -292_275_054, 292_278_993
_NANOSECONDS = 1_000_000_000
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BOOLEANS = {"true": True, "false": False}

Address = tuple[int, int]
"""An IP version (4 or 6) and the address as an integer."""
Network = tuple[int, int, int]
"""An IP version, the network's address and its mask as integers."""


def number(text: str) -> Decimal | None:
    """An exact decimal. ``10abc``, ``NaN`` and hexadecimal are not numbers."""
    if _NUMBER.fullmatch(text) is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what decimals can hold
        return None


def instant(text: str) -> int | None:
    """Nanoseconds since the epoch. Digits alone are seconds; a time without zone is UTC."""
    if _DIGITS.fullmatch(text):
        seconds = int(text)
        return seconds * _NANOSECONDS if seconds <= _MAX_SECONDS else None
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    part = {name: int(value or 0) for name, value in match.groupdict().items() if name != "sign"}
    year, month, day = part["year"], part["month"], part["day"] if match["day"] else 1
    if not (_MIN_YEAR <= year <= _MAX_YEAR and 1 <= month <= 12 and 1 <= day <= _days_in(year, month)):
        return None
    if part["hour"] > 23 or part["minute"] > 59 or part["second"] > 59:
        return None
    if part["off_hour"] > 23 or part["off_minute"] > 59:
        return None
    offset = part["off_hour"] * 3600 + part["off_minute"] * 60
    seconds = _days_since_epoch(year, month, day) * 86_400 + part["hour"] * 3600 + part["minute"] * 60 + part["second"]
    seconds -= -offset if match["sign"] == "-" else offset
    return seconds * _NANOSECONDS + int((match["fraction"] or "").ljust(9, "0"))


def _days_in(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS[month - 1] + leap


def _days_since_epoch(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar; ``datetime`` stops at the year 9999."""
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400
    return days + sum(_days_in(year, earlier) for earlier in range(1, month)) + day - 719_163


def boolean(text: str) -> bool | None:
    """``true`` or ``false``, in any case."""
    return _BOOLEANS.get(text.lower())


def binary(text: str) -> bytes | None:
    """The bytes that base64 with padding (RFC 4648 section 4) stands for; spare bits of the last character are ignored."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def address(text: str) -> Address | None:
    """An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 is the IPv4 address; zones are refused."""
    return _address(text) if len(text) <= MAX_ADDRESS else None


@functools.lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return 4, int(found)
    if found.scope_id is not None:
        return None
    mapped = found.ipv4_mapped
    return (6, int(found)) if mapped is None else (4, int(mapped))


def network(text: str) -> Network | None:
    """An address or CIDR block. No prefix means the one address; bits behind the prefix are ignored."""
    host, slash, prefix = text.partition("/")
    base = address(host)
    if base is None or (slash and _PREFIX.fullmatch(prefix) is None):
        return None
    version, value = base
    written = 6 if ":" in host else 4
    bits = 32 if written == 4 else 128
    length = int(prefix) if slash else bits
    if length > bits:
        return None
    if written != version:  # ::ffff:a.b.c.d/96 and longer speaks of IPv4 addresses; shorter is a block of IPv6
        if length < 96:
            return _masked(6, value | (0xFFFF << 32), 128, length)
        length -= 96
    return _masked(version, value, 32 if version == 4 else 128, length)


def _masked(version: int, value: int, bits: int, length: int) -> Network:
    mask = ((1 << length) - 1) << (bits - length)
    return version, value & mask, mask
