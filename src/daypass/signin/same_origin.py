# SPDX-License-Identifier: Apache-2.0
"""
Whether a form came from a page of ours (Fetch Metadata Request Headers; RFC 6454, section 7).

Browsers say so in ``Sec-Fetch-Site``, which no script can set; those that do not have it, in ``Origin``. A client that sends
neither is no browser, and nobody can make it send what it does not want to.
"""

from __future__ import annotations

from collections.abc import Sequence

from daypass.errors import Reason, RequestError


def require_same_origin(headers: Sequence[tuple[bytes, bytes]], origin: str) -> None:
    """
    Refuse what a page of another origin sent. ``origin`` is ours. Raises RequestError.

    Two values are no value: a proxy that joined them, or somebody who hopes that we read the other one.
    """
    sites = [value for name, value in headers if name == b"sec-fetch-site"]
    origins = [value for name, value in headers if name == b"origin"]
    if sites:
        same = sites == [b"same-origin"]
    elif origins:
        same = origins == [origin.encode("ascii", "replace")]
    else:
        same = True
    if not same:
        message = "This form was not sent by a page of this service. Sign in again, and choose the role on its page."
        raise RequestError(Reason.SIGN_IN_CROSS_SITE, message)
