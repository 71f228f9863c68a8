# SPDX-License-Identifier: Apache-2.0
"""
Where a browser may be sent: to paths of ours, and to the endpoints that a provider registered; nowhere else.

    return_to          a path of this origin, as text that no browser reads as another origin (OWASP, unvalidated redirects)
    single sign-on     the provider's endpoint for a binding, https, or http on this machine where the configuration says so
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import urlsplit

from daypass.errors import ProofError, Reason, RequestError
from daypass.saml import Endpoint
from daypass.signin import limits

Binding = Literal["redirect", "post"]

BINDINGS: Final[dict[Binding, str]] = {
    "redirect": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
    "post": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
}
"""Those that we send requests by (SAML Bindings 3.4 and 3.5), the preferred one first."""

_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@?-][A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?", re.ASCII)
"""A path and query of RFC 3986: one slash, and neither a second one nor anything that a browser makes into one."""


def read_return_to(text: str) -> str:
    """
    The place to go to afterwards: a path of this origin, with a query perhaps. Raises RequestError for everything else.

    Not even a URL of this origin is taken: whoever compares origins has parsed one, and parsers differ.
    """
    if len(text) > limits.RETURN_TO_CHARACTERS or _PATH.fullmatch(text) is None:
        longest = limits.RETURN_TO_CHARACTERS
        message = f"Expected return_to to be a path that begins with one '/', of at most {longest} characters."
        raise RequestError(Reason.SIGN_IN_FORM, message)
    return text


def sign_on_endpoint(endpoints: Sequence[Endpoint], *, allow_loopback_http: bool) -> tuple[Binding, str]:
    """
    By which binding and at which URL a provider is asked. Raises ProofError when it offers none that can be used.

    INVARIANT: only https, so no ``javascript:`` of a provider's metadata ever stands in a form or a redirect.
    """
    for binding, identifier in BINDINGS.items():
        for endpoint in endpoints:
            if endpoint.binding == identifier and _may_be_used(endpoint.url, allow_loopback_http):
                return binding, endpoint.url
    message = "The identity provider's metadata names no place to sign in at by HTTP redirect or POST, over https."
    raise ProofError(Reason.SAML_METADATA_NO_PROVIDER, message)


def origin_of(url: str) -> str:
    """``https://idp.example.org:8443`` of a URL, as browsers write it (RFC 6454, section 6.2): lower case, no usual port."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    return origin.removesuffix(":443" if parts.scheme == "https" else ":80")


_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?", re.ASCII)
"""No user, no fragment, no character that would end a source expression of a Content-Security-Policy."""


def _may_be_used(url: str, allow_loopback_http: bool) -> bool:
    if _URL.fullmatch(url) is None:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (allow_loopback_http and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
