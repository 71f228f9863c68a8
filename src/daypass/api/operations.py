# SPDX-License-Identifier: Apache-2.0
"""
The table of operations: what can be asked at the AWS door, and what each needs.

A row of the signed kind has an action and a resource, on which its caller must be permitted; a row of the proof kind is
unsigned, and its handler must get a ``Trusted`` before it can answer. There is no third kind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from daypass.access import Permitted, RequestFacts
from daypass.access.context import request_tag_keys
from daypass.api import resources
from daypass.api.resources import ResourceOf
from daypass.api.table import IAM_ROWS
from daypass.api.table.sts import STS_ROWS, Further, nothing_else
from daypass.audit import Told
from daypass.awsapi.parameters import Parameters, tag_list, texts
from daypass.iam.service import Iam
from daypass.identity import ContextValue
from daypass.store import View
from daypass.sts import Sts
from daypass.sts.assume_role_with_saml import assume_role_with_saml
from daypass.sts.assume_role_with_web_identity import assume_role_with_web_identity
from daypass.sts.get_access_key_info import get_access_key_info
from daypass.sts.get_caller_identity import get_caller_identity

Result = Mapping[str, object]
SignedHandler = Callable[[Permitted, Parameters], Awaitable[Result]]
ProofHandler = Callable[[RequestFacts, Callable[[], View], Parameters, Told], Awaitable[Result]]
ServiceName = Literal["sts", "iam"]


@dataclass(frozen=True, slots=True)
class SignedOperation:
    """
    An operation that a caller must be permitted: ``action`` on ``resource``, with the keys of the tags it passes, and each
    action of ``also`` on its resource. ``second_factor``: SerialNumber and TokenCode are shown before that.
    """

    service: ServiceName
    name: str
    action: str
    resource: ResourceOf
    handler: SignedHandler
    keys: Callable[[Parameters], Mapping[str, ContextValue]]
    also: Further = nothing_else
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class ProofOperation:
    """An operation whose request is not signed: it brings a proof of identity, which its handler verifies."""

    service: ServiceName
    name: str
    action: str
    handler: ProofHandler


Operation = SignedOperation | ProofOperation
OperationTable = Mapping[tuple[str, str], Operation]
"""By service and operation name."""


def operation_table(sts: Sts, iam: Iam) -> OperationTable:
    """Every operation that is offered."""
    return {(operation.service, operation.name): operation for operation in (*_sts(sts), *_iam(iam))}


def _no_keys(_parameters: Parameters) -> Mapping[str, ContextValue]:
    return {}


def _tag_keys(parameters: Parameters) -> Mapping[str, ContextValue]:
    return request_tag_keys(dict(tag_list(parameters)))


def _tag_key_names(parameters: Parameters) -> Mapping[str, ContextValue]:
    names = texts(parameters, "TagKeys")
    return {"aws:tagkeys": names} if names else {}  # an empty list is no key: a condition on Null would see one


def _sts(sts: Sts) -> tuple[Operation, ...]:
    return (
        ProofOperation(
            "sts",
            "AssumeRoleWithWebIdentity",
            "sts:AssumeRoleWithWebIdentity",
            partial(assume_role_with_web_identity, sts),
        ),
        ProofOperation(
            "sts",
            "AssumeRoleWithSAML",
            "sts:AssumeRoleWithSAML",
            partial(assume_role_with_saml, sts),
        ),
        SignedOperation(
            "sts", "GetCallerIdentity", "sts:GetCallerIdentity", resources.everything, get_caller_identity, _no_keys
        ),
        SignedOperation(
            "sts", "GetAccessKeyInfo", "sts:GetAccessKeyInfo", resources.everything, get_access_key_info, _no_keys
        ),
        *(
            SignedOperation(
                "sts",
                row.name,
                f"sts:{row.name}",
                row.resource,
                partial(row.function, sts),
                _tag_keys,
                row.also,
                row.second_factor,
            )
            for row in STS_ROWS
        ),
    )


def _iam(iam: Iam) -> tuple[Operation, ...]:
    return tuple(
        SignedOperation(
            "iam",
            row.name,
            f"iam:{row.name}",
            row.resource,
            partial(row.function, iam),
            _keys_of(row.name),
            _always(row.also),
        )
        for row in IAM_ROWS
    )


def _always(also: tuple[tuple[str, ResourceOf], ...]) -> Further:
    return (lambda _parameters, _caller: also) if also else nothing_else


def _keys_of(name: str) -> Callable[[Parameters], Mapping[str, ContextValue]]:
    """Operations that pass tags bring them as condition keys; those that take tags away bring the keys' names."""
    if name.startswith("Untag"):
        return _tag_key_names
    return _tag_keys if name.startswith(("Create", "Tag", "Upload")) else _no_keys
