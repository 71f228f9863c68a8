# SPDX-License-Identifier: Apache-2.0
"""Whether a form came from a page of ours."""

from __future__ import annotations

import pytest

from daypass.errors import Reason, RequestError
from daypass.signin.same_origin import require_same_origin

OURS = "https://daypass.example.org"
Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-fetch-site", b"same-origin"), (b"origin", b"https://daypass.example.org")],
        [(b"sec-fetch-site", b"same-origin")],
        [(b"origin", b"https://daypass.example.org")],
        [],
    ],
)
def test_a_form_of_ours_is_taken(headers: Headers) -> None:
    require_same_origin(headers, OURS)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-site")],
        [(b"sec-fetch-site", b"none")],
        [(b"sec-fetch-site", b"")],
        [(b"sec-fetch-site", b"cross-site"), (b"origin", b"https://daypass.example.org")],
        [(b"sec-fetch-site", b"same-origin"), (b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-origin, cross-site")],
        [(b"origin", b"https://evil.example")],
        [(b"origin", b"https://daypass.example.org.evil.example")],
        [(b"origin", b"http://daypass.example.org")],
        [(b"origin", b"https://daypass.example.org:8443")],
        [(b"origin", b"null")],
        [(b"origin", b"")],
        [(b"origin", b"https://daypass.example.org"), (b"origin", b"https://evil.example")],
    ],
)
def test_a_form_of_another_origin_and_two_origins_are_refused(headers: Headers) -> None:
    with pytest.raises(RequestError) as caught:
        require_same_origin(headers, OURS)
    assert caught.value.reason is Reason.SIGN_IN_CROSS_SITE
