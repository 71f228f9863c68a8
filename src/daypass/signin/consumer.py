# SPDX-License-Identifier: Apache-2.0
"""
The assertion consumer: ``POST /saml`` (SAML Profiles 4.1.3.5 and 4.1.4; Bindings 3.5), whether the identity provider began or
we; and ``POST /portal/saml/credentials``, the choice that follows.

The consumer verifies, and shows the roles. It gives out nothing, signs nobody in and spends no assertion: the choice does, by
the operation that is AssumeRoleWithSAML (docs/adr/0010-the-browser-door.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from starlette.responses import Response

from daypass import saml
from daypass.audit import MAX_TEXT, credentials_answer
from daypass.clock import iso8601
from daypass.errors import AccessDeniedError, EntityError, ProofError, Reason
from daypass.federation.saml import SamlProof
from daypass.signin import cookies, limits
from daypass.signin.addresses import origin_of
from daypass.signin.desk import Desk, Visit, field_of
from daypass.signin.handover import Handover
from daypass.signin.registrations import Registrations
from daypass.signin.roles import Offer, Verify, by_account, label, offers, proofs
from daypass.signin.same_origin import require_same_origin
from daypass.signin.sealed import Question
from daypass.store import SamlProvider, View
from daypass.sts.assume_role_with_saml import assume_role_with_saml

SPENT_REQUEST: Final = "saml-request"
"""What the store calls the ID of a request that was answered."""

CHOICE_PATH: Final = "/portal/saml/credentials"


class Consumer:
    """Takes answers of identity providers, and then the choice of a role."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._registrations = Registrations(desk.sts.store.view)

    async def roles(self, visit: Visit) -> Response:
        """
        1. The response is read; whose answer it is, is looked up among what this browser has asked, by the RelayState.
        2. It is verified, for each registration that it names roles with; an answer to a question must answer that question.
        3. The question is spent: it has been answered.
        4. The roles that it names and that trust it are shown. None is a refusal.

        RelayState is an id, looked for and never followed: one that is not known is none.
        """
        visit.noted.name = "ReceiveSamlResponse"
        form = visit.form()  # 1
        text = field_of(form, "SAMLResponse")
        response = saml.parse_response(saml.decode_response(text))
        questions = self._questions(visit)
        question = _asked(questions, form.get("RelayState"))
        asked = None if question is None else (question.account, question.provider)
        request_id = None if question is None else question.request_id
        candidates = self._registrations.of(response.unverified_issuer, asked)
        verify = self._verifier(response, visit, request_id)
        found = proofs(candidates, verify, asked=question is not None)  # 2
        visit.noted.told(next(iter(found.values())).proven())
        answered = next(iter(found.values())).assertion.in_response_to
        if question is not None and answered is not None:
            await self._spend(question, visit)  # 3
        else:
            question = None
        offered = offers(found, visit.received.facts, self._desk.sts.store.view())  # 4
        if not offered:
            raise AccessDeniedError(Reason.NOT_TRUSTED, "Not authorized to perform sts:AssumeRoleWithSAML")
        secret = secrets.token_urlsafe(32)
        choice = self._desk.sealer.seal_choice(
            text,
            secret,
            request_id=None if question is None else question.request_id,
            return_to=None if question is None else question.return_to,
            now=visit.now,
        )
        page = self._roles_page(visit, found, offered, text, choice)
        page.raw_headers.append(cookies.set_cookie(cookies.CHOICE, secret, limits.CHOICE_SECONDS))
        if question is not None:
            page.raw_headers.append(self._left(questions, question, visit))
        return page

    def _roles_page(
        self, visit: Visit, found: Mapping[str, SamlProof], offered: Mapping[str, Offer], text: str, choice: str
    ) -> Response:
        proof = next(iter(found.values()))
        assertion = proof.assertion
        values = {
            "title": "Choose a role",
            "session_name": proof.session_name,
            "subject": assertion.subject,
            "issuer": assertion.issuer,
            "unsolicited": assertion.in_response_to is None,
            "action": CHOICE_PATH,
            "response": text,
            "choice": choice,
            "accounts": by_account(offered.values(), self._desk.sts.store.view()),
            "only_one": len(offered) == 1,
        }
        return self._desk.pages.page("roles", visit.request_id, values)

    async def credentials(self, visit: Visit) -> Response:
        """
        1. The form comes from a page of ours, in the browser that was shown it, within its time, with the response of then.
        2. The response is verified again, and the role is one that it offers now.
        3. AssumeRoleWithSAML does the rest, and spends the assertion.
        4. The credentials are shown, once.
        """
        visit.noted.name = "AssumeRoleWithSAML"
        require_same_origin(visit.headers, origin_of(self._desk.url))  # 1
        form = visit.form()
        text, role_arn = field_of(form, "SAMLResponse"), field_of(form, "roleIndex")
        visit.noted.parameters = {"roleArn": role_arn[:MAX_TEXT]}
        browser = cookies.read_cookie(visit.headers, cookies.CHOICE)
        choice = self._desk.sealer.open_choice(field_of(form, "choice"), text, browser, visit.now)
        response = saml.parse_response(saml.decode_response(text))  # 2
        candidates = self._registrations.of(response.unverified_issuer, None)
        found = proofs(candidates, self._verifier(response, visit, choice.request_id))
        view = self._desk.sts.store.view()
        offer = offers(found, visit.received.facts, view).get(role_arn)
        if offer is None:
            raise AccessDeniedError(Reason.NOT_TRUSTED, "Not authorized to perform sts:AssumeRoleWithSAML")
        parameters = _parameters(offer, found[offer.provider_arn], text)
        visit.noted.parameters = {"roleArn": role_arn, "principalArn": offer.provider_arn}
        assumed = await assume_role_with_saml(  # 3
            self._desk.sts,
            visit.received.facts,
            self._desk.sts.store.view,
            parameters,
            visit.noted.told,
            request_ids=_ids(choice.request_id),
        )
        visit.noted.answer = credentials_answer(assumed)
        values = self._credentials_values(assumed, offer, choice.return_to, view)  # 4
        page = self._desk.pages.page("credentials", visit.request_id, values)
        page.raw_headers.append(cookies.set_cookie(cookies.CHOICE, "", 0))
        return page

    def _credentials_values(
        self, assumed: Mapping[str, object], offer: Offer, return_to: str | None, view: View
    ) -> dict[str, object]:
        credentials = cast("Mapping[str, Any]", assumed["Credentials"])
        handover = Handover(credentials, offer.role.account, offer.role.name, self._desk.url)
        return {
            "title": "Credentials",
            "subject": assumed["Subject"],
            "role": offer.role.name,
            "account": label(offer.role.account, view),
            "ends": iso8601(credentials["Expiration"]),
            "blocks": handover.blocks(),
            "check": handover.check(),
            "return_to": return_to,
        }

    def _verifier(self, response: saml.UnverifiedResponse, visit: Visit, request_id: str | None) -> Verify:
        def verify(provider: SamlProvider) -> SamlProof:
            return self._desk.sts.saml.identify(provider, response, now=visit.now, request_ids=_ids(request_id))

        return verify

    def _questions(self, visit: Visit) -> tuple[Question, ...]:
        return self._desk.sealer.open_questions(cookies.read_cookie(visit.headers, cookies.REQUESTS), visit.now)

    def _left(self, questions: Sequence[Question], answered: Question, visit: Visit) -> tuple[bytes, bytes]:
        left = tuple(question for question in questions if question is not answered)
        if not left:
            return cookies.set_cookie(cookies.REQUESTS, "", 0)
        sealed = self._desk.sealer.seal_questions(left, visit.now)
        return cookies.set_cookie(cookies.REQUESTS, sealed, limits.REQUEST_SECONDS)

    async def _spend(self, question: Question, visit: Visit) -> None:
        """The question was answered. Raises ProofError when it had been before: the cookie of then may be there again."""
        try:
            async with self._desk.sts.store.transaction() as transaction:
                await transaction.spend(SPENT_REQUEST, question.request_id, until=question.ends_at, now=visit.now)
        except EntityError:
            message = "The request that this response answers has been answered before."
            raise ProofError(Reason.SAML_REPLAYED, message) from None


def _parameters(offer: Offer, proof: SamlProof, text: str) -> dict[str, object]:
    """What is asked of STS: a session of an hour, or as long as the assertion says (SessionDuration) and the role allows."""
    wanted = proof.session_duration
    duration = {} if wanted is None else {"DurationSeconds": min(wanted, offer.role.max_session_duration)}
    return {"RoleArn": offer.role.arn, "PrincipalArn": offer.provider_arn, "SAMLAssertion": text, **duration}


def _asked(questions: Sequence[Question], relay_state: str | None) -> Question | None:
    return next((question for question in questions if question.relay_state == relay_state), None)


def _ids(request_id: str | None) -> frozenset[str] | None:
    return None if request_id is None else frozenset((request_id,))
