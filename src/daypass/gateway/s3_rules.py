# SPDX-License-Identifier: Apache-2.0
"""
What S3 asks of whoever stands before a bucket, besides permission: whose buckets are, what is never public, what an object's
tags are, and which keys of a deletion may go.

Every other kind of service passes through here untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daypass.access import RequestFacts
from daypass.access.authenticate import AuthenticatedForm, AuthenticatedHead
from daypass.access.mentioned import is_mentioned, may_be_mentioned
from daypass.errors import EntityError, Reason, RequestError
from daypass.gateway.actions.s3 import (
    deletion_result,
    deletion_without,
    existing_tags_apply,
    wants_existing_tags,
    without_copied_tags,
)
from daypass.gateway.asking import NO_KEYS, AskedOperation, Needed
from daypass.gateway.backends import Backend
from daypass.gateway.bucket_settings import BODY_LIMITS, OPERATIONS, RECORDING, BucketSettings
from daypass.gateway.bucket_xml import MAX_BYTES, existing_tags, listing_without
from daypass.gateway.decision import Allowed, KeysOf, no_keys, owner_arn
from daypass.gateway.expected_owner import check_expected_owners
from daypass.gateway.onward import Forwarder
from daypass.gateway.upstream import UpstreamAnswer, Upstreams
from daypass.identity import ContextValue
from daypass.resources import (
    ACL_BODY,
    ACL_BODY_OPERATIONS,
    ACL_OPERATIONS,
    NOTHING_PUBLIC,
    check_acl,
    check_creation,
    owned,
    public_access_of,
    resource_of,
)
from daypass.sigv4 import RawRequest
from daypass.sigv4.canonical import percent_encoded
from daypass.store import View

Answer = tuple[int, tuple[tuple[bytes, bytes], ...], bytes]

WRITES_ELSEWHERE: Final = frozenset(
    [
        "PutBucketReplication",
        "PutBucketInventoryConfiguration",
        "PutBucketAnalyticsConfiguration",
        "PutBucketLogging",
    ]
)
"""Settings that name another bucket, into which the store itself writes from then on: past every policy of that bucket."""

EXISTING_TAGS: Final = "s3:existingobjecttag/"
RESULT_BYTES: Final = 4 * 1024 * 1024
"""Of the result of a deletion: 1,000 keys of 1,024 bytes, escaped."""
NO_TAGS_COPIED: Final = (b"x-amz-tagging-directive", b"REPLACE")
"""S3 API, CopyObject: no tags of the source, and none in the request."""
_TAGS_BYTES: Final = 65_536
"""Ten tags of an object."""


class S3Rules:
    """The rules of S3 that are no matter of policy. One for all backends of the service."""

    def __init__(self, settings: BucketSettings, upstreams: Upstreams, forwarder: Forwarder) -> None:
        self._settings = settings
        self._upstreams = upstreams
        self._forwarder = forwarder

    def body_limit(self, operation: AskedOperation) -> int | None:
        """At most how many bytes of body must be read for an operation, beside those that its action map wants."""
        if operation.service != "s3":
            return None
        return BODY_LIMITS.get(operation.name) or (ACL_BODY if operation.name in ACL_BODY_OPERATIONS else None)

    async def keys_for(
        self,
        backend: Backend,
        head: AuthenticatedHead | AuthenticatedForm,
        facts: RequestFacts,
        operation: AskedOperation,
        view: View,
    ) -> KeysOf:
        """
        Condition keys that must be looked up: the tags that an object has (S3 User Guide, "Tagging and access control
        policies"), only where a policy asks for them. Raises UpstreamError when they cannot be had: without them a deny might
        not apply.
        """
        if (
            operation.service != "s3"
            or not may_be_mentioned(EXISTING_TAGS, head.caller, view)
            or not wants_existing_tags(operation)
        ):
            return no_keys
        found: dict[_Object, Mapping[str, ContextValue]] = {}
        for needed in [one for whole in operation.needed for one in whole.by_every_name]:
            if not existing_tags_apply(needed.action) or (found and _object(needed) in found):
                continue
            arn = needed.resource
            resource = resource_of(
                arn,
                owner_arn(arn),
                backend.account,
                view,
                principal=head.caller.principal,
                action=needed.action,
                elsewhere=backend.elsewhere,
            )
            if is_mentioned(EXISTING_TAGS, head.caller, resource, view):
                found[_object(needed)] = await self._tags(backend, needed, facts.now)
        if not found:
            return no_keys
        return lambda needed: found.get(_object(needed), NO_KEYS) if existing_tags_apply(needed.action) else NO_KEYS

    async def _tags(self, backend: Backend, needed: Needed, now: float) -> Mapping[str, ContextValue]:
        bucket, key = _bucket_and_key(needed)
        version = _object(needed)[1]
        path = b"/" + bucket.encode() + b"/" + b"/".join([percent_encoded(part.encode()) for part in key.split("/")])
        query = b"tagging=" + (b"&versionId=" + percent_encoded(version.encode()) if version else b"")
        async with await self._ask(backend, "GET", path, query, now) as found:
            body = await found.whole(_TAGS_BYTES)
            return {f"{EXISTING_TAGS}{name.lower()}": value for name, value in existing_tags(found.status, body)}

    def without_tags(self, operation: AskedOperation) -> AskedOperation | None:
        """
        What a copy needs when its source has no tags: the permissions of tags are for tags that there are. None where that
        makes no difference. Whoever goes on by it sends ``NO_TAGS_COPIED``, for tags may come meanwhile.
        """
        return without_copied_tags(operation) if operation.service == "s3" else None

    async def has_tags(self, backend: Backend, operation: AskedOperation, now: float) -> bool:
        """Whether the source of a copy has tags. Raises UpstreamError when the backend does not say."""
        return bool(await self._tags(backend, operation.needed[0], now))

    async def check(self, raw: RawRequest, content: bytes | None, allowed: Allowed) -> None:
        """Refuse what no permission can allow: public ACLs where they are blocked, and buckets that are somebody else's."""
        operation, backend, caller = allowed.operation, allowed.backend, allowed.caller
        if operation.service != "s3" or not operation.owner_arn:
            return
        bucket, view = _bucket(operation), allowed.view
        creates = operation.name == "CreateBucket"
        if operation.name in WRITES_ELSEWHERE:
            raise RequestError(
                Reason.UNSUPPORTED_OPERATION,
                f"{operation.name} is not supported here: the store would write into another bucket with its own rights.",
            )
        check_expected_owners(raw, allowed)
        if operation.name in ACL_OPERATIONS:
            # A new bucket begins with every block, and what it begins with must not be what they refuse a moment later.
            access = NOTHING_PUBLIC if creates else public_access_of(bucket, backend.account, view, backend.elsewhere)
            check_acl(operation.name, raw.headers, content, access)
        if creates:
            check_creation(
                bucket,
                caller.principal.account,
                view,
                exists=await self._exists(bucket, allowed),
                default_account=backend.account,
                elsewhere=backend.elsewhere,
            )
        elif operation.name in RECORDING and view.buckets.with_key(bucket) is None:
            await self._check_exists(bucket, allowed)

    async def _check_exists(self, bucket: str, allowed: Allowed) -> None:
        """INVARIANT: nothing is recorded of a bucket that is not there, or whoever asks first would have its name."""
        if not await self._exists(bucket, allowed):
            raise EntityError(Reason.NO_SUCH_BUCKET, "The specified bucket does not exist")

    async def _exists(self, bucket: str, allowed: Allowed) -> bool:
        """Whether the backend has the bucket, or does not say that it has not."""
        async with await self._ask(allowed.backend, "HEAD", b"/" + bucket.encode(), b"", allowed.facts.now) as found:
            return found.status != 404

    def check_carried(self, allowed: Allowed) -> None:
        """
        Refuse what a proxy that asks cannot carry: an answer that daypass gives or edits, and what it must take note of. Raises
        RequestError.
        """
        operation, view, backend = allowed.operation, allowed.view, allowed.backend
        if operation.service != "s3":
            return
        refused = operation.name in OPERATIONS or bool(allowed.denied) or allowed.permitted is None
        account = allowed.caller.principal.account
        if operation.name == "ListBuckets":
            keep = owned(view, account, backend.account, backend.elsewhere)
            refused = account != backend.account or not all(keep(bucket.name) for bucket in view.buckets.all())
        elif operation.name == "CreateBucket":
            refused = account != backend.account
        elif operation.name == "DeleteBucket":
            bucket = _bucket(operation)
            known = view.buckets.with_key(bucket), view.resource_policies.with_key(operation.owner_arn)
            refused = any(one is not None for one in known)
        if refused:
            message = f"{operation.name} must be sent through the gateway of this service."
            raise RequestError(Reason.BODY_NEEDED, message)

    async def answer(self, raw: RawRequest, content: bytes | None, allowed: Allowed) -> Answer | None:
        """The answer of an operation that daypass gives itself; None for those that go on to the backend."""
        operation = allowed.operation
        if operation.service != "s3" or not operation.owner_arn:
            return None
        if allowed.permitted is None:  # a deletion of which no key may go
            return _xml(deletion_result(None, _denied_items(allowed)))
        found = await self._settings.answer(
            operation.name,
            _bucket(operation),
            allowed.permitted,
            default_account=allowed.backend.account,
            backend=allowed.backend.name,
            elsewhere=allowed.backend.elsewhere,
            headers=raw.headers,
            body=content or b"",
        )
        if found is None:
            return None
        return found.status, (*found.headers, (b"content-length", str(len(found.body)).encode("ascii"))), found.body

    def content(self, content: bytes | None, allowed: Allowed) -> bytes | None:
        """The body to send on instead of the caller's: a deletion, without the keys that may not go."""
        if content is None or not allowed.denied:
            return content
        return deletion_without(content, {item.place for item in allowed.denied})

    async def edited(self, allowed: Allowed, answer: UpstreamAnswer) -> Answer | None:
        """The backend's answer as the caller may see it, where that is not as it is."""
        operation = allowed.operation
        if operation.service != "s3" or answer.status != 200:
            return None
        if operation.name == "ListBuckets":
            view, default = allowed.view, allowed.backend.account
            keep = owned(view, allowed.caller.principal.account, default, allowed.backend.elsewhere)
            body = listing_without(await answer.whole(MAX_BYTES), keep)
        elif allowed.denied:
            body = deletion_result(await answer.whole(RESULT_BYTES), _denied_items(allowed))
        else:
            return None
        return _xml(body)

    async def done(self, allowed: Allowed, status: int) -> None:
        """Keep the record of buckets, once the backend has said yes and before its caller hears of it."""
        operation = allowed.operation
        if (
            operation.service != "s3"
            or not 200 <= status < 300
            or operation.name not in ("CreateBucket", "DeleteBucket")
        ):
            return
        bucket = _bucket(operation)
        if operation.name == "DeleteBucket":
            await self._settings.deleted(bucket, allowed.view, allowed.backend.elsewhere)
        else:
            account, backend = allowed.caller.principal.account, allowed.backend
            await self._settings.created(bucket, account, backend.name, allowed.facts.now, backend.elsewhere)

    async def _ask(self, backend: Backend, method: str, path: bytes, query: bytes, now: float) -> UpstreamAnswer:
        """A question of our own to a backend."""
        headers = self._forwarder.sign(backend, method, path, query, now)
        return await self._upstreams.request(backend, method, path, query, headers)


_Object = tuple[str, str]
"""The ARN of an object, and its version; empty for the newest."""


def _object(needed: Needed) -> _Object:
    version = needed.keys.get("s3:versionid")
    return needed.resource, version if isinstance(version, str) else ""


def _bucket(operation: AskedOperation) -> str:
    return operation.owner_arn.removeprefix("arn:aws:s3:::")


def _bucket_and_key(needed: Needed) -> tuple[str, str]:
    bucket, _, key = needed.resource.removeprefix("arn:aws:s3:::").partition("/")
    return bucket, key


def _denied_items(allowed: Allowed) -> list[tuple[str, str | None, str]]:
    """Key, version and message of everything that may not be deleted."""
    found = []
    for item in allowed.denied:
        needed = allowed.operation.each[item.place]
        found.append((_bucket_and_key(needed)[1], _object(needed)[1] or None, item.message))
    return found


def _xml(body: bytes) -> Answer:
    length = (b"content-length", str(len(body)).encode("ascii"))
    return 200, ((b"content-type", b"application/xml"), length), body
