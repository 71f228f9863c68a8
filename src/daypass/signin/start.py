# SPDX-License-Identifier: Apache-2.0
"""
The beginning of a sign-in: ``GET /portal/saml/{account}/{provider}/start`` asks the identity provider (SAML Profiles 4.1.3.1
to 4.1.3.3) and remembers, in this browser and nowhere else, what was asked.
"""

from __future__ import annotations

import secrets

from starlette.responses import Response

from daypass import saml
from daypass.audit import MAX_TEXT
from daypass.errors import Reason, RequestError
from daypass.signin import cookies, limits
from daypass.signin.addresses import Binding, origin_of, read_return_to, sign_on_endpoint
from daypass.signin.desk import Desk, Visit
from daypass.signin.sealed import Question
from daypass.signin.service_provider import ServiceProvider, registered


class Start:
    """Sends browsers to their identity provider."""

    def __init__(self, desk: Desk, service_provider: ServiceProvider) -> None:
        self._desk = desk
        self._service_provider = service_provider

    async def start(self, visit: Visit) -> Response:
        """
        1. The place to go to afterwards is a path of ours.
        2. The provider is registered, offers a binding that we speak, and where it wants signed requests we have a key.
        3. The request is made, with an ID and a RelayState that nobody can guess and that say nothing.
        4. The browser keeps both, sealed, and is sent on.
        """
        visit.noted.name = "StartSamlSignIn"
        visit.noted.parameters = {name: visit.path[name][:MAX_TEXT] for name in ("account", "provider")}
        return_to = _return_to(visit)  # 1
        provider = registered(self._desk.sts.store.view(), visit)  # 2
        said = self._service_provider.said_by(provider)
        binding, url = sign_on_endpoint(said.single_sign_on, allow_loopback_http=self._desk.allow_loopback_http)
        signer = self._service_provider.signer_for(provider)
        question = Question(  # 3
            request_id="_" + secrets.token_hex(20),
            relay_state=secrets.token_urlsafe(16),
            account=provider.account,
            provider=provider.name,
            return_to=return_to,
            ends_at=int(visit.now) + limits.REQUEST_SECONDS,
        )
        request = saml.authn_request(
            request_id=question.request_id,
            issued_at=visit.now,
            issuer=self._desk.entity_id,
            destination=url,
            consumer_url=self._desk.consumer_url,
        )
        response = self._sent(visit, binding, url, request, question.relay_state, signer)  # 4
        response.raw_headers.append(self._remembered(visit, question))
        return response

    def _sent(
        self, visit: Visit, binding: Binding, url: str, request: bytes, relay_state: str, signer: saml.Signer | None
    ) -> Response:
        if binding == "redirect":
            location = saml.redirect_url(url, request, relay_state=relay_state, signer=signer)
            return Response(status_code=303, headers={"location": location, "cache-control": "no-store"})
        form = saml.post_form(url, request, relay_state=relay_state, signer=signer)
        values = {"title": "To your identity provider", "form": form}
        return self._desk.pages.page("post", visit.request_id, values, form_target=origin_of(url))

    def _remembered(self, visit: Visit, question: Question) -> tuple[bytes, bytes]:
        sealer = self._desk.sealer
        before = sealer.open_questions(cookies.read_cookie(visit.headers, cookies.REQUESTS), visit.now)
        sealed = sealer.seal_questions((*before, question), visit.now)
        return cookies.set_cookie(cookies.REQUESTS, sealed, limits.REQUEST_SECONDS)


def _return_to(visit: Visit) -> str:
    query = visit.query()
    unknown = next((name for name in query if name != "return_to"), None)
    if unknown is not None:
        raise RequestError(Reason.SIGN_IN_FORM, "Expected no other parameter than return_to.")
    return read_return_to(query["return_to"]) if "return_to" in query else ""
