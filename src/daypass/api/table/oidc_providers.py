# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: OpenID Connect providers."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import oidc_providers
from daypass.store import View


def oidc_provider_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The provider that CreateOpenIDConnectProvider would make."""
    account, name = caller.principal.account, text(parameters, "Url").partition("://")[2]
    return Resource(arn.oidc_provider_arn(account, name), account)


def oidc_provider(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The provider that ``OpenIDConnectProviderArn`` names, which is looked for in the caller's account only."""
    # INVARIANT: the ARN decided on is made from the name that the operation will act on, never the caller's spelling.
    account = caller.principal.account
    name = text(parameters, "OpenIDConnectProviderArn").partition(":oidc-provider/")[2]
    found = view.oidc_providers.with_name(account, name)
    return Resource(arn.oidc_provider_arn(account, name), account, () if found is None else found.tags)


ROWS: Final = (
    Row("CreateOpenIDConnectProvider", oidc_provider_to_be, oidc_providers.create_oidc_provider),
    Row("GetOpenIDConnectProvider", oidc_provider, oidc_providers.get_oidc_provider),
    Row("ListOpenIDConnectProviders", everything, oidc_providers.list_oidc_providers),
    Row("DeleteOpenIDConnectProvider", oidc_provider, oidc_providers.delete_oidc_provider),
    Row("AddClientIDToOpenIDConnectProvider", oidc_provider, oidc_providers.add_client_id),
    Row("RemoveClientIDFromOpenIDConnectProvider", oidc_provider, oidc_providers.remove_client_id),
    Row("UpdateOpenIDConnectProviderThumbprint", oidc_provider, oidc_providers.update_thumbprint),
    Row("TagOpenIDConnectProvider", oidc_provider, oidc_providers.tag_oidc_provider),
    Row("UntagOpenIDConnectProvider", oidc_provider, oidc_providers.untag_oidc_provider),
    Row("ListOpenIDConnectProviderTags", oidc_provider, oidc_providers.list_oidc_provider_tags),
)
