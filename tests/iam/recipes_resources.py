# SPDX-License-Identifier: Apache-2.0
"""Recipes: OpenID Connect and SAML providers, instance profiles, server certificates, service-linked roles, delegation."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from iam.kitchen import Step
from iam.recipe import ALLOW, PATH, POLICY, PROFILE, ROLE, TAGS, Pages, Recipe, recipe
from in_process import ACCOUNT

MORE_TAGS: Final = [{"Key": "more", "Value": "yes"}]


def _tag_pages(entity: str, parameter: str, name: str) -> Pages:
    return Pages(
        ("Tags",),
        (Step(f"Tag{entity}", {parameter: name, "Tags": [{"Key": "key-<i>", "Value": "<i>"}]}),),
        (Step(f"Untag{entity}", {parameter: name, "TagKeys": ["<item.Key>"]}),),
    )


PROVIDER: Final = Step(
    "CreateOpenIDConnectProvider",
    {"Url": "https://<name>.example.org", "ClientIDList": ["web"], "ThumbprintList": ["0" * 40], "Tags": TAGS},
)
PROVIDER_ARN: Final = "<CreateOpenIDConnectProvider.OpenIDConnectProviderArn>"
NAMED_PROVIDER: Final = {"OpenIDConnectProviderArn": PROVIDER_ARN}
PROVIDERS: Final = {
    name: replace(made, resource="oidc-provider/<name>.example.org") if name != "ListOpenIDConnectProviders" else made
    for name, made in {
        "CreateOpenIDConnectProvider": recipe(**PROVIDER.parameters),
        "GetOpenIDConnectProvider": recipe(PROVIDER, **NAMED_PROVIDER),
        "ListOpenIDConnectProviders": recipe(PROVIDER),
        "DeleteOpenIDConnectProvider": recipe(PROVIDER, **NAMED_PROVIDER),
        "AddClientIDToOpenIDConnectProvider": recipe(PROVIDER, **NAMED_PROVIDER, ClientID="more", new="ClientID"),
        "RemoveClientIDFromOpenIDConnectProvider": recipe(PROVIDER, **NAMED_PROVIDER, ClientID="web", new="ClientID"),
        "UpdateOpenIDConnectProviderThumbprint": recipe(PROVIDER, **NAMED_PROVIDER, ThumbprintList=["1" * 40]),
        "TagOpenIDConnectProvider": recipe(PROVIDER, **NAMED_PROVIDER, Tags=MORE_TAGS),
        "UntagOpenIDConnectProvider": recipe(PROVIDER, **NAMED_PROVIDER, TagKeys=["team"]),
        "ListOpenIDConnectProviderTags": replace(
            recipe(PROVIDER, **NAMED_PROVIDER),
            pages=_tag_pages("OpenIDConnectProvider", "OpenIDConnectProviderArn", PROVIDER_ARN),
        ),
    }.items()
}

SAML_PROVIDER: Final = Step(
    "CreateSAMLProvider",
    {
        "Name": "<name>",
        "SAMLMetadataDocument": "<saml.metadata>",
        "AssertionEncryptionMode": "Allowed",
        "AddPrivateKey": "<saml.key>",
        "Tags": TAGS,
    },
)
SAML_ARN: Final = "<CreateSAMLProvider.SAMLProviderArn>"
NAMED_SAML: Final = {"SAMLProviderArn": SAML_ARN}
SAML_PROVIDERS: Final = {
    name: replace(made, resource="saml-provider/<name>") if name != "ListSAMLProviders" else made
    for name, made in {
        "CreateSAMLProvider": recipe(**SAML_PROVIDER.parameters, new="Name"),
        "GetSAMLProvider": recipe(SAML_PROVIDER, **NAMED_SAML),
        "UpdateSAMLProvider": recipe(
            SAML_PROVIDER, **NAMED_SAML, SAMLMetadataDocument="<saml.metadata>", AddPrivateKey="<saml.key>"
        ),
        "DeleteSAMLProvider": recipe(SAML_PROVIDER, **NAMED_SAML),
        "ListSAMLProviders": recipe(SAML_PROVIDER),
        "TagSAMLProvider": recipe(SAML_PROVIDER, **NAMED_SAML, Tags=MORE_TAGS),
        "UntagSAMLProvider": recipe(SAML_PROVIDER, **NAMED_SAML, TagKeys=["team"]),
        "ListSAMLProviderTags": replace(
            recipe(SAML_PROVIDER, **NAMED_SAML), pages=_tag_pages("SAMLProvider", "SAMLProviderArn", SAML_ARN)
        ),
    }.items()
}

IN_PROFILE: Final = Step("AddRoleToInstanceProfile", {"InstanceProfileName": "<name>", "RoleName": "<name>"})
NAMED_PROFILE: Final = {"InstanceProfileName": "<name>"}
OWN_PROFILE: Final = Step("CreateInstanceProfile", {"InstanceProfileName": "<name>-<i>", "Path": "/<name>/"})
GONE_PROFILE: Final = Step("DeleteInstanceProfile", {"InstanceProfileName": "<item.InstanceProfileName>"})
INSTANCE_PROFILES: Final = {
    "CreateInstanceProfile": recipe(**PROFILE.parameters, new="InstanceProfileName"),
    "GetInstanceProfile": recipe(PROFILE, ROLE, IN_PROFILE, **NAMED_PROFILE),
    "ListInstanceProfiles": replace(
        recipe(
            Step("CreateInstanceProfile", {**PROFILE.parameters, "Path": "/<name>/"}),
            ROLE,
            IN_PROFILE,
            PathPrefix="/<name>/",
        ),
        pages=Pages(
            ("InstanceProfiles",),
            (OWN_PROFILE,),
            (GONE_PROFILE,),
        ),
    ),
    "ListInstanceProfilesForRole": replace(
        recipe(PROFILE, ROLE, IN_PROFILE, RoleName="<name>"),
        pages=Pages(
            ("InstanceProfiles",),
            (
                OWN_PROFILE,
                Step("AddRoleToInstanceProfile", {"InstanceProfileName": "<name>-<i>", "RoleName": "<name>"}),
            ),
            (Step("RemoveRoleFromInstanceProfile", {**GONE_PROFILE.parameters, "RoleName": "<name>"}),),
        ),
    ),
    "DeleteInstanceProfile": recipe(PROFILE, **NAMED_PROFILE),
    "AddRoleToInstanceProfile": replace(
        recipe(PROFILE, ROLE, **IN_PROFILE.parameters), also={"iam:PassRole": f"role{PATH}<name>"}
    ),
    "RemoveRoleFromInstanceProfile": recipe(PROFILE, ROLE, IN_PROFILE, **IN_PROFILE.parameters),
    "TagInstanceProfile": recipe(PROFILE, **NAMED_PROFILE, Tags=MORE_TAGS),
    "UntagInstanceProfile": recipe(PROFILE, **NAMED_PROFILE, TagKeys=["team"]),
    "ListInstanceProfileTags": replace(
        recipe(PROFILE, **NAMED_PROFILE), pages=_tag_pages("InstanceProfile", "InstanceProfileName", "<name>")
    ),
}

CERTIFICATE: Final = Step(
    "UploadServerCertificate",
    {
        "ServerCertificateName": "<name>",
        "Path": PATH,
        "CertificateBody": "<certificate.0.body>",
        "CertificateChain": "<certificate.0.body>",
        "PrivateKey": "<certificate.0.key>",
        "Tags": TAGS,
    },
)
NAMED_CERTIFICATE: Final = {"ServerCertificateName": "<name>"}
SERVER_CERTIFICATES: Final = {
    "UploadServerCertificate": recipe(**CERTIFICATE.parameters, new="ServerCertificateName"),
    "GetServerCertificate": recipe(CERTIFICATE, **NAMED_CERTIFICATE),
    "ListServerCertificates": replace(
        recipe(Step("UploadServerCertificate", {**CERTIFICATE.parameters, "Path": "/<name>/"}), PathPrefix="/<name>/"),
        pages=Pages(
            ("ServerCertificateMetadataList",),
            (
                Step(
                    "UploadServerCertificate",
                    {**CERTIFICATE.parameters, "ServerCertificateName": "<name>-<i>", "Path": "/<name>/"},
                ),
            ),
            (Step("DeleteServerCertificate", {"ServerCertificateName": "<item.ServerCertificateName>"}),),
        ),
    ),
    "UpdateServerCertificate": replace(
        recipe(CERTIFICATE, **NAMED_CERTIFICATE, NewServerCertificateName="<name>-new", NewPath="/other/"),
        also={"iam:UpdateServerCertificate": "server-certificate/other/<name>-new"},
    ),
    "DeleteServerCertificate": recipe(CERTIFICATE, **NAMED_CERTIFICATE),
    "TagServerCertificate": recipe(CERTIFICATE, **NAMED_CERTIFICATE, Tags=MORE_TAGS),
    "UntagServerCertificate": recipe(CERTIFICATE, **NAMED_CERTIFICATE, TagKeys=["team"]),
    "ListServerCertificateTags": replace(
        recipe(CERTIFICATE, **NAMED_CERTIFICATE),
        pages=_tag_pages("ServerCertificate", "ServerCertificateName", "<name>"),
    ),
}

LINKED: Final = Step(
    "CreateServiceLinkedRole",
    {"AWSServiceName": "autoscaling.amazonaws.com", "CustomSuffix": "<name>", "Description": "A role."},
)
LINKED_NAME: Final = "AWSServiceRoleForAutoScaling_<name>"
LINKED_RESOURCE: Final = f"role/aws-service-role/autoscaling.amazonaws.com/{LINKED_NAME}"
LINKED_END: Final = Step("DeleteServiceLinkedRole", {"RoleName": LINKED_NAME})
SERVICE_LINKED_ROLES: Final = {
    name: replace(made, resource=LINKED_RESOURCE)
    for name, made in {
        "CreateServiceLinkedRole": recipe(**LINKED.parameters, new="AWSServiceName"),
        "DeleteServiceLinkedRole": recipe(LINKED, RoleName=LINKED_NAME),
        "GetServiceLinkedRoleDeletionStatus": recipe(
            LINKED, LINKED_END, DeletionTaskId="<DeleteServiceLinkedRole.DeletionTaskId>"
        ),
    }.items()
}

TEMPLATE: Final = Step(
    "CreatePolicy", {**POLICY.parameters, "PolicyDocument": ALLOW.replace('"*"', '"arn:aws:s3:::@{bucket}/*"')}
)
REQUEST: Final = Step(
    "CreateDelegationRequest",
    {
        "OwnerAccountId": ACCOUNT,
        "Description": "Look at the logs.",
        "Permissions": {
            "PolicyTemplateArn": "<CreatePolicy.Policy.Arn>",
            "Parameters": [{"Name": "bucket", "Values": ["logs"], "Type": "string"}],
        },
        "RequestMessage": "Please.",
        "RequestorWorkflowId": "workflow-<name>",
        "RedirectUrl": "https://example.org/done",
        "NotificationChannel": f"arn:aws:sns:us-east-1:{ACCOUNT}:channel",
        "SessionDuration": 3600,
        "OnlySendByOwner": False,
    },
)
REQUEST_ID: Final = "<CreateDelegationRequest.DelegationRequestId>"
NAMED_REQUEST: Final = {"DelegationRequestId": REQUEST_ID}
ASSOCIATE: Final = Step("AssociateDelegationRequest", NAMED_REQUEST)
ACCEPT: Final = Step("AcceptDelegationRequest", NAMED_REQUEST)
REJECTED_REQUEST: Final = (
    TEMPLATE,
    REQUEST,
    ASSOCIATE,
    Step("UpdateDelegationRequest", {**NAMED_REQUEST, "Notes": "Soon."}),
    ACCEPT,
    Step("RejectDelegationRequest", {**NAMED_REQUEST, "Notes": "No."}),
)
DELEGATION: Final = {
    name: replace(made, resource=f"delegation-request/{REQUEST_ID}")
    for name, made in {
        "GetDelegationRequest": recipe(*REJECTED_REQUEST, **NAMED_REQUEST, DelegationPermissionCheck=True),
        "AssociateDelegationRequest": recipe(TEMPLATE, REQUEST, **NAMED_REQUEST),
        "AcceptDelegationRequest": recipe(TEMPLATE, REQUEST, ASSOCIATE, **NAMED_REQUEST),
        "RejectDelegationRequest": recipe(TEMPLATE, REQUEST, ASSOCIATE, **NAMED_REQUEST, Notes="No."),
        "UpdateDelegationRequest": recipe(TEMPLATE, REQUEST, ASSOCIATE, **NAMED_REQUEST, Notes="Later."),
        "SendDelegationToken": recipe(TEMPLATE, REQUEST, ASSOCIATE, ACCEPT, **NAMED_REQUEST),
        "GetHumanReadableSummary": recipe(
            TEMPLATE,
            REQUEST,
            ASSOCIATE,
            EntityArn=f"arn:aws:iam::{ACCOUNT}:delegation-request/{REQUEST_ID}",
            Locale="en",
        ),
    }.items()
} | {
    "CreateDelegationRequest": replace(recipe(TEMPLATE, **REQUEST.parameters), resource="delegation-request/*"),
    "ListDelegationRequests": recipe(*REJECTED_REQUEST),
}

TEMPLATE_ARN: Final = "arn:aws:iam::aws:role-template/example.amazonaws.com/reader:1"
NOT_YET: Final = {
    "AcquireRole": replace(recipe(TemplateArn=TEMPLATE_ARN), resource=TEMPLATE_ARN, never="NoSuchEntity"),
    "GetRoleTemplateVersion": replace(recipe(TemplateArn=TEMPLATE_ARN), resource=TEMPLATE_ARN, never="NoSuchEntity"),
}

RECIPES: Final[dict[str, Recipe]] = {
    **PROVIDERS,
    **SAML_PROVIDERS,
    **INSTANCE_PROFILES,
    **SERVER_CERTIFICATES,
    **SERVICE_LINKED_ROLES,
    **DELEGATION,
    **NOT_YET,
}
