# SPDX-License-Identifier: Apache-2.0
"""
What a caller passes to a session that it asks for: tags, transitive keys, a source identity, an external id; and what the
session inherits from the caller's own (IAM User Guide, "Pass session tags in AWS STS", "Chaining roles with session tags",
"Monitor and control actions taken with assumed roles").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from daypass.access.authenticate import Caller
from daypass.errors import Reason, RequestError
from daypass.principal import User
from daypass.sessions import Session

Tags = tuple[tuple[str, str], ...]

MAX_SESSION_TAGS: Final = 50
"""Passed and inherited together (STS API, AssumeRole: Tags)."""


class Passed(msgspec.Struct, frozen=True):
    """What an AssumeRole request passes."""

    tags: Tags = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    external_id: str | None = None


NOTHING_PASSED: Final = Passed()


class Before(msgspec.Struct, frozen=True):
    """
    Who was before a session that a caller with credentials asks for, as ``sessions.Session`` has it: whatever ends one of them
    ends the session.
    """

    chain: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    user_id: str = ""
    key_id: str = ""
    origin_provider: str | None = None
    origin_subject: str | None = None


def who_was_before(caller: Caller) -> Before:
    """The caller, and who was before it."""
    principal, session = caller.principal, caller.session
    user_id = principal.unique_id if isinstance(principal, User) else ""
    if session is None:
        return Before((principal.arn,), user_id=user_id)
    of_role = (session.role_id,) if session.role_id else ()
    began_here = session.origin_provider is None
    return Before(
        chain=(*session.chain, principal.arn),
        parents=(*session.parents, caller.access_key_id, *of_role),
        user_id=session.user_id,
        key_id=session.key_id,
        origin_provider=session.provider_arn if began_here else session.origin_provider,
        origin_subject=session.subject if began_here else session.origin_subject,
    )


def inherited_tags(session: Session | None) -> Tags:
    """The tags of a session that go on to the next one in the chain: the transitive ones."""
    if session is None or not session.transitive_tag_keys:
        return ()
    transitive = {key.lower() for key in session.transitive_tag_keys}
    return tuple(tag for tag in session.tags if tag[0].lower() in transitive)


_ASSUME_ROLE: Final = ("sts:AssumeRole",)


def assume_role_actions(caller: Caller, passed: Passed) -> tuple[str, ...]:
    """The actions on the role that an AssumeRole request has to be permitted, all of them."""
    inherited = None if caller.session is None else caller.session.source_identity
    if passed is NOTHING_PASSED and inherited is None:
        return _ASSUME_ROLE
    actions = ["sts:AssumeRole"]
    if passed.tags or passed.transitive_tag_keys:
        actions.append("sts:TagSession")
    if passed.source_identity is not None or inherited is not None:
        actions.append("sts:SetSourceIdentity")
    return tuple(actions)


def check_tags(tags: Tags, transitive_tag_keys: Iterable[str] = ()) -> None:
    """
    The rules of session tags that their model does not say. Raises RequestError.

    Keys are unique ignoring case and do not begin with ``aws:``; a transitive key is the key of one of the tags.
    """
    keys = [key.lower() for key, _ in tags]
    if len(set(keys)) < len(keys):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise RequestError(Reason.SESSION_TAGS_INVALID, message)
    if any(key.startswith("aws:") for key in keys):
        raise RequestError(Reason.SESSION_TAGS_INVALID, "Tag keys beginning with 'aws:' are reserved for system use.")
    wanted = [key.lower() for key in transitive_tag_keys]
    if len(set(wanted)) < len(wanted) or not set(wanted) <= set(keys):
        message = "The specified transitive tag key must be included in the requested tags."
        raise RequestError(Reason.SESSION_TAGS_INVALID, message)


def check_passed(session: Session | None, passed: Passed) -> None:
    """See that what is passed may be passed by whoever has this session (None: long-term keys). Raises RequestError."""
    inherited = inherited_tags(session)
    if passed is NOTHING_PASSED and not inherited:
        return  # as for most: each of the rules is about a tag or a source identity that is passed or inherited
    check_tags(passed.tags, passed.transitive_tag_keys)
    taken = {key.lower() for key, _ in inherited}
    if any(key.lower() in taken for key, _ in passed.tags):
        message = (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from"
        )
        raise RequestError(Reason.SESSION_TAGS_INVALID, f"{message} the calling session.")
    if len(inherited) + len(passed.tags) > MAX_SESSION_TAGS:
        message = f"A session has at most {MAX_SESSION_TAGS} tags, inherited ones included."
        raise RequestError(Reason.SESSION_TAGS_INVALID, message)
    before = None if session is None else session.source_identity
    if before is not None and passed.source_identity not in (None, before):
        message = "The source identity of the calling session cannot be changed."
        raise RequestError(Reason.SOURCE_IDENTITY_FIXED, message)
