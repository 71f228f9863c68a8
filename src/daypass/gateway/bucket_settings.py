# SPDX-License-Identifier: Apache-2.0
"""
The operations of S3 that daypass answers itself, for backends whose bucket policies it keeps: the policy of a bucket, whether
it is public, and the bucket's public access block (S3 API, PutBucketPolicy and its neighbours).

    Permitted + body -- BucketSettings.answer --> Answered, stored in ``daypass.resources``

The caller has been authenticated and permitted; here that is held: an answer needs the ``Permitted`` for this very operation on
this very bucket, and a write is refused when what the permission was given by has changed since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import msgspec

from daypass.access import Permitted, authorize
from daypass.access.context import resource_keys
from daypass.access.resource import Resource
from daypass.errors import AccessDeniedError, EntityError, PolicyError, Reason
from daypass.principal import Root
from daypass.resources import (
    NOWHERE,
    CheckedPolicy,
    Elsewhere,
    bucket_arn,
    bucket_record,
    is_public,
    named_policy,
    owner_of,
    put_policy,
    record_creation,
    record_deletion,
    remove_policy,
    set_bucket_public_access,
    shown_policy,
)
from daypass.resources.limits import POLICY_BODY, PUBLIC_ACCESS_BODY
from daypass.resources.ownership import is_elsewhere, taken
from daypass.resources.s3_xml import policy_status_xml, public_access_xml, read_public_access
from daypass.store import ResourcePolicy, Store, View

BODY_LIMITS: Final[Mapping[str, int]] = {
    "PutBucketPolicy": POLICY_BODY,
    "PutPublicAccessBlock": PUBLIC_ACCESS_BODY,
}
"""At most how many bytes of body an operation has; the others have none."""

_ACTIONS: Final[Mapping[str, str]] = {
    "PutBucketPolicy": "s3:PutBucketPolicy",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "DeleteBucketPolicy": "s3:DeleteBucketPolicy",
    "GetBucketPolicyStatus": "s3:GetBucketPolicyStatus",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
OPERATIONS: Final = frozenset(_ACTIONS)
"""What is answered here."""
RECORDING: Final = frozenset({"PutBucketPolicy", "PutPublicAccessBlock", "DeletePublicAccessBlock"})
"""Those after which it is recorded whose the bucket is."""

_OWNERS_ONLY: Final = frozenset({"PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"})
_EXPECTED_OWNER: Final = b"x-amz-expected-bucket-owner"
_CONFIRM: Final = b"x-amz-confirm-remove-self-bucket-access"
_JSON: Final = ((b"content-type", b"application/json"),)
_XML: Final = ((b"content-type", b"application/xml"),)

Headers = tuple[tuple[bytes, bytes], ...]


class Answered(msgspec.Struct, frozen=True):
    """An answer of ours: status, headers (without content-length) and body."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class Asked(msgspec.Struct, frozen=True):
    """One of the operations, permitted: what the answers below are made from."""

    operation: str
    bucket: str
    permitted: Permitted
    default_account: str
    backend: str
    headers: Headers
    body: bytes
    elsewhere: Elsewhere

    @property
    def arn(self) -> str:
        """The bucket's ARN."""
        return bucket_arn(self.bucket)

    @property
    def owner(self) -> str:
        """The bucket's owner when permission was given."""
        return owner_of(self.arn, self.default_account, self.permitted.view, self.elsewhere)

    def header(self, name: bytes) -> bytes | None:
        """The value of a header that stands there once or more; the last one."""
        return dict(self.headers).get(name)


class BucketSettings:
    """Answers the operations in ``OPERATIONS``, and keeps the record of which bucket is whose."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._answers: Mapping[str, Callable[[Asked], Awaitable[Answered]]] = {
            "PutBucketPolicy": self._put_policy,
            "GetBucketPolicy": self._get_policy,
            "DeleteBucketPolicy": self._delete_policy,
            "GetBucketPolicyStatus": self._get_policy_status,
            "PutPublicAccessBlock": self._put_public_access,
            "GetPublicAccessBlock": self._get_public_access,
            "DeletePublicAccessBlock": self._delete_public_access,
        }

    async def answer(
        self,
        operation: str,
        bucket: str,
        permitted: Permitted,
        *,
        default_account: str,
        backend: str = "",
        elsewhere: Elsewhere = NOWHERE,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes = b"",
    ) -> Answered | None:
        """
        The answer to an operation of S3 on a bucket; None for operations that are not answered here. In this order:

        1. ``permitted`` is for this operation on this bucket;
        2. the owner is the one that the request expects (``x-amz-expected-bucket-owner``);
        3. the policy is its owner's alone to see and to write;
        4. the operation itself.

        ``elsewhere``: the backends that keep other buckets than ``backend`` (``daypass.resources.ownership``).
        ``headers``: names in lower case; ``body``: whole, at most ``BODY_LIMITS``. Raises DaypassError. **It does not look
        whether the backend has the bucket**, and leaves digests of the body to whoever verified the signature.
        """
        found = self._answers.get(operation)
        if found is None:
            return None
        asked = Asked(operation, bucket, permitted, default_account, backend, tuple(headers), body, elsewhere)
        if permitted.resource != asked.arn or _ACTIONS[operation] not in permitted.actions:  # 1
            raise _denied()
        expected = asked.header(_EXPECTED_OWNER)
        if expected is not None and expected != asked.owner.encode():  # 2
            raise _denied()
        if operation in _OWNERS_ONLY and permitted.caller.principal.account != asked.owner:  # 3
            message = "The specified method is not allowed against this resource."
            raise AccessDeniedError(Reason.NOT_THE_BUCKET_OWNER, message)
        return await found(asked)  # 4

    async def created(
        self, bucket: str, account: str, backend: str, now: float, elsewhere: Elsewhere = NOWHERE
    ) -> None:
        """The backend has made a bucket for this account. Raises EntityError when it has become another's meanwhile."""
        await record_creation(self._store, bucket, account, backend, now, elsewhere)

    async def deleted(self, bucket: str, before: View, elsewhere: Elsewhere = NOWHERE) -> None:
        """
        The backend has deleted a bucket: its policy and its settings are gone with it. ``before``: by what it was permitted.
        """
        await record_deletion(self._store, bucket, elsewhere, before=before)

    async def _put_policy(self, asked: Asked) -> Answered:
        def check(view: View, checked: CheckedPolicy) -> None:
            _check_unchanged(asked, view)
            if (asked.header(_CONFIRM) or b"").lower() != b"true":
                _check_no_lockout(asked, checked, view)

        await put_policy(
            self._store,
            asked.arn,
            _text(asked.body),
            owner=asked.owner,
            now=asked.permitted.facts.now,
            backend=asked.backend,
            check=check,
            elsewhere=asked.elsewhere,
        )
        return Answered(204)

    async def _get_policy(self, asked: Asked) -> Answered:
        view = asked.permitted.view
        return Answered(200, _JSON, shown_policy(_policy(asked), view).encode())

    async def _delete_policy(self, asked: Asked) -> Answered:
        await remove_policy(self._store, asked.arn, check=lambda view: _check_unchanged(asked, view))
        return Answered(204)

    async def _get_policy_status(self, asked: Asked) -> Answered:
        public = is_public(named_policy(_policy(asked)).policy)
        return Answered(200, _XML, policy_status_xml(public=public))

    async def _put_public_access(self, asked: Asked) -> Answered:
        settings = read_public_access(asked.body)
        await set_bucket_public_access(
            self._store,
            asked.bucket,
            settings,
            owner=asked.owner,
            now=asked.permitted.facts.now,
            backend=asked.backend,
            check=lambda view: _check_unchanged(asked, view),
            elsewhere=asked.elsewhere,
        )
        return Answered(200)

    async def _get_public_access(self, asked: Asked) -> Answered:
        found = bucket_record(asked.bucket, asked.permitted.view, asked.elsewhere)
        if found is None or found.public_access is None:
            message = "The public access block configuration was not found"
            raise EntityError(Reason.NO_SUCH_PUBLIC_ACCESS_BLOCK, message)
        return Answered(200, _XML, public_access_xml(found.public_access))

    async def _delete_public_access(self, asked: Asked) -> Answered:
        await set_bucket_public_access(
            self._store,
            asked.bucket,
            None,
            owner=asked.owner,
            now=asked.permitted.facts.now,
            backend=asked.backend,
            check=lambda view: _check_unchanged(asked, view),
            elsewhere=asked.elsewhere,
        )
        return Answered(204)


def _policy(asked: Asked) -> ResourcePolicy:
    view = asked.permitted.view
    found = view.resource_policies.with_key(asked.arn)
    if found is None or is_elsewhere(asked.bucket, view, asked.elsewhere):
        raise EntityError(Reason.NO_SUCH_BUCKET_POLICY, "The bucket policy does not exist")
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise PolicyError(Reason.POLICY_CHARACTERS, "This policy contains invalid Json") from None


def _check_unchanged(asked: Asked, view: View) -> None:
    """
    See to it that owner and policy of the bucket are those that permission was given by, and that what is recorded is about
    this bucket. Raises EntityError.
    """
    if is_elsewhere(asked.bucket, view, asked.elsewhere):
        raise taken()
    before = asked.permitted.view
    if owner_of(
        asked.arn, asked.default_account, view, asked.elsewhere
    ) != asked.owner or view.resource_policies.with_key(asked.arn) != before.resource_policies.with_key(asked.arn):
        message = "A conflicting operation is currently in progress against this resource. Please try again."
        raise EntityError(Reason.ENTITY_MODIFIED_MEANWHILE, message)


def _check_no_lockout(asked: Asked, checked: CheckedPolicy, view: View) -> None:
    """Refuse a policy under which its writer could not write the next one, unless that is confirmed. Root always can."""
    permitted = asked.permitted
    caller = permitted.caller
    if isinstance(caller.principal, Root):
        return
    tags = permitted.resource_tags
    resource = Resource(asked.arn, asked.owner, tags, policy=checked.named())
    keys = resource_keys(asked.owner, tags, iam=False)
    try:
        authorize(caller, "s3:PutBucketPolicy", resource, facts=permitted.facts, view=view, keys=lambda _: keys)
    except AccessDeniedError as error:
        message = (
            "Access Denied: the new bucket policy would not allow you to change it again; to do so nevertheless, set "
            "x-amz-confirm-remove-self-bucket-access to true."
        )
        raise AccessDeniedError(Reason.LOCKOUT_UNCONFIRMED, message) from error


def _denied() -> AccessDeniedError:
    return AccessDeniedError(Reason.NOT_AUTHORIZED, "Access Denied")
