# SPDX-License-Identifier: Apache-2.0
"""
What an operation acts on: the ARN, the owner and the tags of its resource, before anybody has been permitted anything
(Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management").

A resource that does not exist has an ARN all the same, so that a denial says the same whether it exists or not.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from daypass import arn
from daypass.awsapi.parameters import Parameters, optional_text, text
from daypass.store import View


class Resource(msgspec.Struct, frozen=True):
    """
    One resource of a decision. ``account`` is its owner's; ``tags`` are those it has now.

    ``shown`` is the ARN that a denial names, where the real one says more than the caller did.
    """

    arn: str
    account: str
    tags: tuple[tuple[str, str], ...] = ()
    shown: str | None = None


ResourceOf = Callable[[Parameters, str, View], Resource]
"""From the checked parameters, the caller's account and the view."""


def everything(_parameters: Parameters, account: str, _view: View) -> Resource:
    """Operations without resource-level permissions."""
    return Resource("*", account)


def role_to_be(parameters: Parameters, account: str, _view: View) -> Resource:
    """The role that CreateRole would make."""
    path = optional_text(parameters, "Path") or "/"
    return Resource(arn.role_arn(account, path, text(parameters, "RoleName")), account)


def role(parameters: Parameters, account: str, view: View) -> Resource:
    """The role that ``RoleName`` names. A denial names it without its path, as one that is not there."""
    name = text(parameters, "RoleName")
    found = view.roles.with_name(account, name)
    if found is None:
        return Resource(arn.role_arn(account, "/", name), account)
    return Resource(found.arn, account, found.tags, shown=arn.role_arn(account, "/", name))


def policy_source(parameters: Parameters, account: str, view: View) -> Resource:
    """The entity that ``PolicySourceArn`` names, which is looked for in the caller's account only."""
    source = text(parameters, "PolicySourceArn")
    found = view.roles.with_name(account, source.rpartition("/")[2])
    return Resource(source, account, found.tags if found is not None and found.arn == source else ())


def oidc_provider_to_be(parameters: Parameters, account: str, _view: View) -> Resource:
    """The provider that CreateOpenIDConnectProvider would make."""
    name = text(parameters, "Url").partition("://")[2]
    return Resource(arn.oidc_provider_arn(account, name), account)


def oidc_provider(parameters: Parameters, account: str, view: View) -> Resource:
    """The provider that ``OpenIDConnectProviderArn`` names, which is looked for in the caller's account only."""
    # INVARIANT: the ARN decided on is made from the name that the operation will act on, never the caller's spelling.
    name = text(parameters, "OpenIDConnectProviderArn").partition(":oidc-provider/")[2]
    found = view.oidc_providers.with_name(account, name)
    return Resource(arn.oidc_provider_arn(account, name), account, () if found is None else found.tags)
