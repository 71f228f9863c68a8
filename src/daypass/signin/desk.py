# SPDX-License-Identifier: Apache-2.0
"""What the pages work with, made once when the process is wired; and one visit to a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from daypass.awsapi.form import parse_form
from daypass.doorway.audit_trail import Noted
from daypass.doorway.received import ReceivedRequest
from daypass.errors import Reason, RequestError
from daypass.signin.pages import Pages
from daypass.signin.sealed import Sealer
from daypass.sts import Sts

_FORM: Final = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Desk:
    """
    STS, the pages, what seals for browsers; our URL without a slash at its end (it is the origin, too, when it has no path);
    and whether providers on this machine may be at http.
    """

    sts: Sts
    pages: Pages
    sealer: Sealer
    url: str
    allow_loopback_http: bool = False

    @property
    def entity_id(self) -> str:
        """Who we are to identity providers."""
        return f"{self.url}/saml/metadata"

    @property
    def consumer_url(self) -> str:
        """Where their answers go."""
        return f"{self.url}/saml"

    async def asset(self, visit: Visit) -> Response:
        """``GET /portal/static/{name}``: the style sheet and the script."""
        found = self.pages.asset(visit.path["name"])
        if found is None:
            raise HTTPException(404)
        return found


@dataclass(frozen=True, slots=True)
class Visit:
    """A request to a page: as it was received, its id, the parts of the path that the route names, what of it is recorded."""

    received: ReceivedRequest = field(repr=False)
    request_id: str
    path: Mapping[str, str]
    noted: Noted = field(default_factory=Noted, repr=False)

    @property
    def now(self) -> float:
        """When its last byte had come."""
        return self.received.facts.now

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """As received, names in lower case."""
        return self.received.raw.headers

    def form(self) -> dict[str, str]:
        """The fields of the form that was posted. Raises RequestError: there is one of each name, and no other encoding."""
        types = [value for name, value in self.headers if name == b"content-type"]
        if len(types) != 1 or types[0].partition(b";")[0].strip().lower() != _FORM:
            raise RequestError(Reason.MALFORMED_REQUEST, "Expected a form (application/x-www-form-urlencoded).")
        return parse_form(self.received.body)

    def query(self) -> dict[str, str]:
        """The parameters of the query. Raises RequestError."""
        return parse_form(self.received.raw.query)


def field_of(form: Mapping[str, str], name: str) -> str:
    """A field that must be there, and say something. Raises RequestError."""
    value = form.get(name)
    if not value:
        raise RequestError(Reason.SIGN_IN_FORM, f"The form has no {name}.")
    return value
