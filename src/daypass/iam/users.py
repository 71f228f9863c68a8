# SPDX-License-Identifier: Apache-2.0
"""
Users (IAM API): CreateUser, GetUser, ListUsers, UpdateUser, TagUser, UntagUser, ListUserTags. The end of a user is in
``user_deletion``; inline policies, boundaries, groups and access keys have modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from daypass.access import Caller, Permitted
from daypass.awsapi.parameters import Parameters, optional_text, tag_list, text, texts
from daypass.awsapi.query_writer import OMITTED
from daypass.credentials import new_unique_id
from daypass.errors import EntityError, Reason, RequestError
from daypass.iam import boundaries, tags
from daypass.iam.limits import USERS_PER_ACCOUNT
from daypass.iam.paging import page, page_of_records
from daypass.iam.service import Iam
from daypass.principal import Root
from daypass.store import User, View

if TYPE_CHECKING:
    from daypass.store import Transaction


def no_such_user(name: str) -> EntityError:
    """The answer of every operation on a user that is not there."""
    return EntityError(Reason.NO_SUCH_ENTITY, f"The user with name {name} cannot be found.")


def callers_user(caller: Caller) -> User:
    """Whom an operation without ``UserName`` is about. Raises RequestError for callers that are no user."""
    if caller.user is None:
        raise RequestError(Reason.INVALID_PARAMETER, "Must specify userName when calling with non-User credentials")
    return caller.user


def _permitted_user(view: View, permitted: Permitted, parameters: Parameters) -> User:
    name = optional_text(parameters, "UserName") or callers_user(permitted.caller).name
    user = view.users.with_name(permitted.caller.principal.account, name)
    if user is None or user.arn != permitted.resource:
        raise no_such_user(name)
    return user


def existing_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> User:
    """
    The user that ``UserName`` names, or else the caller's own, and that the caller was permitted.

    Raises EntityError; RequestError when there is no name and the caller is no user.
    """
    return _permitted_user(iam.store.view(), permitted, parameters)


async def user_to_change(transaction: Transaction, permitted: Permitted, parameters: Parameters) -> User:
    """The same, read inside the transaction that will write it: it may be another than when permission was given."""
    user = _permitted_user(transaction.view, permitted, parameters)
    permitted.with_tags(user.tags)
    return user


def refuse_taken_name(view: View, user: User) -> None:
    """Raise EntityError when another user of the account has the name, whatever its case."""
    there = view.users.like_name(user.account, user.name)
    if there is not None and there.unique_id != user.unique_id:
        raise EntityError(Reason.ENTITY_ALREADY_EXISTS, f"User with name {user.name} already exists.")


async def create_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """A user that is new, with no credentials and no permissions."""
    user = User(
        account=permitted.caller.principal.account,
        path=optional_text(parameters, "Path") or "/",
        name=text(parameters, "UserName"),
        unique_id=new_unique_id("AIDA"),
        created_at=int(permitted.facts.now),
        tags=tags.checked(tag_list(parameters)),
    )
    async with iam.store.transaction() as transaction:
        boundary = boundaries.checked_boundary(parameters, user.account, transaction.view)
        user = replace(user, permissions_boundary=boundary)
        refuse_taken_name(transaction.view, user)
        if len(transaction.view.users.of(user.account)) >= USERS_PER_ACCOUNT:
            raise EntityError(Reason.LIMIT_EXCEEDED, f"Cannot exceed quota for UsersPerAccount: {USERS_PER_ACCOUNT}")
        await transaction.put(user)
    return {"User": {**members(user), **_more_members(user)}}


async def get_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """One user; without a name the caller's own, which may be the root user of the account."""
    caller = permitted.caller
    if "UserName" not in parameters and isinstance(caller.principal, Root):
        return {"User": root_members(iam.store.view(), caller.principal)}
    user = existing_user(iam, permitted, parameters)
    return {"User": {**members(user), **_more_members(user)}}


async def list_users(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The users of the account under a path, by name, without tags and boundaries (IAM API, ListUsers)."""
    every = iam.store.view().users.of(permitted.caller.principal.account)
    prefix = optional_text(parameters, "PathPrefix") or "/"
    chosen, more = page_of_records(every, parameters, keep=lambda user: user.path.startswith(prefix))
    return {"Users": [members(user) for user in chosen], **more}


async def update_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Another name, path, or both. It stays the user that it was, by its unique id, and keeps what it has."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        if (
            user.tags != permitted.resource_tags
        ):  # by which the new name was permitted too, and cannot be again from here
            message = "The user was changed by another request meanwhile; submit this one again."
            raise EntityError(Reason.ENTITY_MODIFIED_MEANWHILE, message)
        changed = renamed(user, parameters)
        refuse_taken_name(transaction.view, changed)
        await transaction.put(changed)
    return {}


def renamed(user: User, parameters: Parameters) -> User:
    """The user as UpdateUser would leave it."""
    path, name = optional_text(parameters, "NewPath"), optional_text(parameters, "NewUserName")
    return replace(user, path=path or user.path, name=name or user.name)


async def tag_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """More tags, or other values."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(replace(user, tags=tags.added(user.tags, tag_list(parameters))))
    return {}


async def untag_user(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """Fewer tags."""
    async with iam.store.transaction() as transaction:
        user = await user_to_change(transaction, permitted, parameters)
        await transaction.put(replace(user, tags=tags.removed(user.tags, texts(parameters, "TagKeys"))))
    return {}


async def list_user_tags(iam: Iam, permitted: Permitted, parameters: Parameters) -> dict[str, object]:
    """The tags of a user, sorted by key (IAM API, ListUserTags)."""
    user = existing_user(iam, permitted, parameters)
    chosen, more = page(sorted(user.tags), parameters, key=lambda tag: tag[0])
    return {"Tags": tags.members(tuple(chosen)), **more}


def members(user: User) -> dict[str, object]:
    """A user as lists show it."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.unique_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
        "PasswordLastUsed": user.password_last_used,
    }


def _more_members(user: User) -> dict[str, object]:
    return {**boundaries.members(user), **({"Tags": tags.members(user.tags)} if user.tags else {})}


def root_members(view: View, root: Root) -> dict[str, object]:
    """The root user, which has no path, and the account's alias for a name (as AWS answers; the model requires both)."""
    account, settings = view.accounts.with_key(root.account), view.account_settings.with_key(root.account)
    alias = None if settings is None else settings.alias
    return {
        "Path": OMITTED,
        "UserName": alias or OMITTED,
        "UserId": root.account,
        "Arn": root.arn,
        "CreateDate": 0 if account is None else account.created_at,
    }
