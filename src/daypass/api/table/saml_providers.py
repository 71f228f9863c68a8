# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of operations: SAML providers."""

from __future__ import annotations

from typing import Final

from daypass import arn
from daypass.access import Caller
from daypass.api.resources import Resource, everything
from daypass.api.row import Row
from daypass.awsapi.parameters import Parameters, text
from daypass.iam import saml_providers
from daypass.store import View


def saml_provider_to_be(parameters: Parameters, caller: Caller, _view: View) -> Resource:
    """The provider that CreateSAMLProvider would make."""
    account = caller.principal.account
    return Resource(arn.saml_provider_arn(account, text(parameters, "Name")), account)


def saml_provider(parameters: Parameters, caller: Caller, view: View) -> Resource:
    """The provider that ``SAMLProviderArn`` names, which is looked for in the caller's account only."""
    # INVARIANT: the ARN decided on is made from the name that the operation will act on, never the caller's spelling.
    account = caller.principal.account
    name = text(parameters, "SAMLProviderArn").partition(":saml-provider/")[2]
    found = view.saml_providers.with_name(account, name)
    return Resource(arn.saml_provider_arn(account, name), account, () if found is None else found.tags)


ROWS: Final = (
    Row("CreateSAMLProvider", saml_provider_to_be, saml_providers.create_saml_provider),
    Row("GetSAMLProvider", saml_provider, saml_providers.get_saml_provider),
    Row("UpdateSAMLProvider", saml_provider, saml_providers.update_saml_provider),
    Row("DeleteSAMLProvider", saml_provider, saml_providers.delete_saml_provider),
    Row("ListSAMLProviders", everything, saml_providers.list_saml_providers),
    Row("TagSAMLProvider", saml_provider, saml_providers.tag_saml_provider),
    Row("UntagSAMLProvider", saml_provider, saml_providers.untag_saml_provider),
    Row("ListSAMLProviderTags", saml_provider, saml_providers.list_saml_provider_tags),
)
