# SPDX-License-Identifier: Apache-2.0
"""
Which issuer URLs may be registered, and what the provider is then called.

IAM API, CreateOpenIDConnectProvider, Url: it begins with https://, has path components but no query, at most 255
characters. AWS says that it "should not contain a port number"; here it may, because self-hosted providers live on
ports. An issuer is compared whole, as it was given: nothing is normalised, and a trailing slash is kept.
"""

from __future__ import annotations

import re
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.oidc.url import parse_url

MAX_ISSUER_URL: Final = 255  # characters; the IAM model's OpenIDConnectProviderUrlType

# The name becomes part of an ARN, of condition keys (name, colon, claim) and of policies: a colon in the path could make
# one issuer's key look like another's, and a wildcard or a dollar sign would mean something there.
_PATH: Final = re.compile(r"[A-Za-z0-9/._~+=,@-]*", re.ASCII)


def check_issuer_url(url: str, *, allow_loopback_http: bool = False) -> str:
    """The provider's name (``provider_name``), if the URL may be registered. Raises RequestError.

    ``allow_loopback_http`` admits ``http`` to localhost and loopback addresses, for development.
    """
    if not 0 < len(url) <= MAX_ISSUER_URL:
        raise _invalid(f"Expected the provider's URL to have 1 to {MAX_ISSUER_URL} characters.")
    try:
        parsed = parse_url(url)
    except ValueError:
        raise _invalid(
            "Expected the provider's URL to be https://, a host, and optionally a port and a path."
        ) from None
    if parsed.query is not None or _PATH.fullmatch(parsed.path) is None or "//" in parsed.path:
        raise _invalid("The provider's URL has a query, or a path with characters that are not accepted.")
    if parsed.scheme == "http" and not allow_loopback_http:
        raise _invalid("Expected the provider's URL to begin with https://.")
    return provider_name(url)


def provider_name(url: str) -> str:
    """An issuer's URL without its scheme: what its ARN ends with, and what its condition keys begin with."""
    return url.partition("://")[2]


def _invalid(message: str) -> RequestError:
    return RequestError(Reason.ISSUER_URL_INVALID, message)
