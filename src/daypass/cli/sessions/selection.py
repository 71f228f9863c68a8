# SPDX-License-Identifier: Apache-2.0
"""Which sessions the options of ``daypass sessions`` mean: names and ARNs become the ids that sessions carry."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from daypass.access.bearer import provider_of_arn
from daypass.arn import Arn, is_account_id
from daypass.credentials import TEMPORARY_KEY, account_of_access_key_id
from daypass.errors import EntityError, Reason
from daypass.sessions import revocation
from daypass.sessions.revocation import Selection
from daypass.store import View


@dataclass(frozen=True, slots=True)
class Options:
    """The options that say which sessions."""

    session: str | None = None
    user: str | None = None
    role: str | None = None
    provider: str | None = None
    subject: str | None = None
    everything: bool = False
    account: str | None = None

    def check(self, *, one: bool) -> None:
        """Refuse as wrong usage what cannot be meant. ``one``: exactly one kind of sessions must be named."""
        given = [self.session, self.user, self.role, self.provider, self.everything or None]
        count = sum(value is not None for value in given)
        if count > 1 or (one and count != 1):
            raise typer.BadParameter("expected one of --session, --user, --role, --provider and --all.")
        if self.subject is not None and self.provider is None:
            raise typer.BadParameter("expected --provider beside --subject.", param_hint="--subject")
        if self.account is not None and (self.session is not None or self.provider is not None):
            raise typer.BadParameter("an access key id and a provider's ARN say it already.", param_hint="--account")
        if self.account is not None and not is_account_id(self.account):
            raise typer.BadParameter("expected twelve digits.", param_hint="--account")


def selections(options: Options, view: View) -> list[Selection]:
    """
    Which sessions are meant; with --all and several accounts, one selection for each.

    Raises EntityError for a role, user, provider or account that is not there: its sessions have ended with it.
    """
    if options.session is not None:
        return [_of_session(options.session, view)]
    if options.provider is not None:
        return [_of_provider(options.provider, options.subject, view)]
    if options.everything:
        wanted = [account.account_id for account in view.accounts.of("")]
        return [revocation.of_account(account) for account in wanted if options.account in (None, account)] or [
            revocation.of_account(_account(options, view))
        ]
    account = _account(options, view)
    if options.user is not None:
        user = view.users.with_name(account, options.user)
        if user is None:
            raise _absent(f"user {options.user!r} in account {account}")
        return [revocation.of_user(account, user.unique_id)]
    role = view.roles.with_name(account, options.role or "")
    if role is None:
        raise _absent(f"role {options.role!r} in account {account}")
    return [revocation.of_role(account, role.unique_id)]


def _account(options: Options, view: View) -> str:
    """The account that is named, or the only one there is."""
    accounts = [account.account_id for account in view.accounts.of("")]
    if options.account is None and len(accounts) != 1:
        raise typer.BadParameter(f"expected one of {', '.join(accounts)}.", param_hint="--account")
    found = accounts[0] if options.account is None else options.account
    if found not in accounts:
        raise _absent(f"account {found}")
    return found


def _of_session(access_key_id: str, view: View) -> Selection:
    try:
        account = account_of_access_key_id(access_key_id)
    except ValueError:
        account = ""
    if not account or not access_key_id.startswith(TEMPORARY_KEY):
        raise typer.BadParameter("expected the access key id of a session, ASIA...", param_hint="--session")
    if view.accounts.with_key(account) is None:
        raise _absent(f"account {account}, which the access key id is of")
    return revocation.with_access_key(account, access_key_id)


def _of_provider(provider_arn: str, subject: str | None, view: View) -> Selection:
    try:
        parsed = Arn.parse(provider_arn)
    except ValueError:
        raise typer.BadParameter("expected the ARN of an identity provider.", param_hint="--provider") from None
    if provider_of_arn(provider_arn, view) is None:
        raise _absent(f"provider {provider_arn!r}")
    return revocation.of_provider(parsed.account, provider_arn, subject)


def _absent(what: str) -> EntityError:
    return EntityError(Reason.NO_SUCH_ENTITY, f"there is no {what}; sessions end with what they came from")
