# SPDX-License-Identifier: Apache-2.0
"""
The URLs of identity providers, read strictly (RFC 3986, a small part of it).

One reading for everybody: what is registered, what is compared and what is connected to is taken apart here, and a form
that two parsers might read differently (user information, backslashes, numeric hosts, escapes) is no URL at all.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=@%-]*)*)"
    r"(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=@%/?:-]+))?",
    re.ASCII,
)
MAX_URL: Final = 2_048  # characters; what HTTP clients and caches commonly take
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_MAX_HOST: Final = 253  # RFC 1035 section 2.3.4
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL. ``host`` is as written, without an IPv6 address's brackets; ``query`` is without its ``?``."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str
    query: str | None

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The host, when it is written as an address."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name or by its address: ``localhost``, ``127.0.0.0/8``, ``::1``."""
        address = self.address
        return self.host.lower() == "localhost" if address is None else address.is_loopback


def parse_url(text: str) -> Url:
    """
    Take a URL apart. Raises ValueError unless it is ``https``, or ``http`` to this machine itself, and of a plain form.

    No user information, fragment, backslash, space or control character can be in it; a path has no ``.`` or ``..``
    segment; a host is a DNS name (not ending in a dot), or an address in its usual form: ``127.1``, ``0x7f000001`` and
    ``2130706433`` are refused.
    """
    match = _URL.fullmatch(text) if len(text) <= MAX_URL else None
    if match is None:
        raise ValueError("not an absolute URL of the accepted form")
    scheme: Literal["https", "http"] = "https" if match["scheme"] == "https" else "http"
    host = match["host"]
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    if port > 65535:
        raise ValueError("no such port")
    if any(segment.replace("%2e", ".").replace("%2E", ".") in (".", "..") for segment in match["path"].split("/")):
        raise ValueError("a path with dot segments")
    url = Url(scheme, _checked_host(host), port, match["path"], match["query"])
    if scheme == "http" and not url.is_loopback:
        raise ValueError("expected https")
    return url


def _checked_host(host: str) -> str:
    if host.startswith("["):
        return str(ipaddress.IPv6Address(host[1:-1]))  # a ValueError unless it is one
    labels = host.split(".")
    # A host whose last label is a number is an address to a browser or a C library (WHATWG URL, "ends in a number").
    if labels[-1][:1].isdigit():
        return str(ipaddress.IPv4Address(host))  # strict: four decimal numbers, no leading zero
    if len(host) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("not a host name")
    return host
