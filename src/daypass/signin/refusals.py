# SPDX-License-Identifier: Apache-2.0
"""
What people read when something is refused: what happened and what to do, in words of ours.

INVARIANT: nothing of an assertion is shown. A reason that is not named here has the words of its family.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daypass.errors import DaypassError, ProofError, Reason, UnavailableError


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a page of refusal says."""

    title: str
    message: str
    advice: str = ""


_AGAIN: Final = "Start again from where you came from."
_ADMINISTRATOR: Final = "Trying again will not help; whoever looks after this service, or the identity provider, can."

NOT_FOUND: Final = Refusal("There is nothing here", "The address may be mistyped, or what was here is gone.")
NO_METHOD: Final = Refusal("This page is not opened like that", "It is a step of a sign-in.", _AGAIN)
FAILED: Final = Refusal(
    "Something went wrong on our side", "Nothing was done.", "Try again in a minute; if it stays, ask somebody."
)

_TITLES: Final[dict[Reason, Refusal]] = {
    Reason.SAML_REPLAYED: Refusal("This sign-in was used already", "Each sign-in gives credentials once.", _AGAIN),
    Reason.SAML_EXPIRED: Refusal(
        "This sign-in is too old", "The identity provider's answer is no longer valid.", _AGAIN
    ),
    Reason.SAML_NOT_YET_VALID: Refusal(
        "This sign-in is not valid yet",
        "The clocks of the identity provider and of this service differ.",
        _ADMINISTRATOR,
    ),
    Reason.SAML_RESPONSE_UNSOLICITED: Refusal(
        "We did not ask for this sign-in",
        "It answers a question that was not asked by this browser, or too long ago.",
        "Start again, in one browser, with cookies allowed.",
    ),
    Reason.SAML_AUDIENCE_MISMATCH: Refusal(
        "This sign-in is for another service", "The identity provider's answer names another audience.", _ADMINISTRATOR
    ),
    Reason.SAML_CLAIM_STATUS: Refusal(
        "The identity provider did not sign you in", "Its answer says so, and has no sign-in in it.", _AGAIN
    ),
    Reason.PROVIDER_UNKNOWN: Refusal(
        "We do not know this identity provider", "It is not registered here, or not under this name.", _ADMINISTRATOR
    ),
    Reason.NO_SUCH_ENTITY: Refusal(
        "We do not know this identity provider", "It is not registered here, or not under this name.", _ADMINISTRATOR
    ),
    Reason.SAML_ROLE_MISSING: Refusal(
        "There is no role for you",
        "You are signed in, and the identity provider names no role of yours.",
        "Ask whoever gives out roles there; they stand in the attribute Role of its answer.",
    ),
    Reason.NOT_TRUSTED: Refusal(
        "There is no role for you",
        "You are signed in, and no role trusts this sign-in.",
        "Ask whoever gives out roles; a role attribute of yours and the role's trust policy must name each other.",
    ),
}


_OURS: Final = (
    Reason.MALFORMED_REQUEST,
    Reason.DUPLICATE_PARAMETER,
    Reason.REQUEST_TOO_LARGE,
    Reason.LENGTH_REQUIRED,
    Reason.SIGN_IN_FORM,
    Reason.SIGN_IN_FOREIGN,
    Reason.SIGN_IN_ENDED,
    Reason.SIGN_IN_CROSS_SITE,
    Reason.SIGN_IN_KEY_MISSING,
)
"""Reasons of forms and addresses: their sentences are shown. Others may quote a value of an assertion, to AWS's clients."""

_REGISTRATION: Final = "SAML_METADATA_"


def refusal(error: DaypassError) -> Refusal:
    """The page for an error."""
    reason = error.reason
    if reason in _TITLES:
        return _TITLES[reason]
    if reason in _OURS:
        return Refusal("That did not work", str(error), _AGAIN)
    if reason.name.startswith(_REGISTRATION):
        return Refusal(
            "You cannot sign in there", "The registration of the identity provider cannot be used.", _ADMINISTRATOR
        )
    if isinstance(error, ProofError):
        return Refusal(
            "This sign-in cannot be accepted", "The identity provider's answer does not verify.", _ADMINISTRATOR
        )
    if isinstance(error, UnavailableError):
        return Refusal("Not now", "A part of this service is out of reach.", "Try again in a minute.")
    return Refusal("That did not work", "It was refused.", _AGAIN)
