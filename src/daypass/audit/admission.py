# SPDX-License-Identifier: Apache-2.0
"""
What of a request and of its answer may be recorded: an allow-list (DESIGN.md, invariant 15), and bounds.

It is picked out before it is noted: no secret, token, assertion, code or password ever waits in the trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from daypass.clock import iso8601

MAX_TEXT: Final = 2048
"""Characters of a recorded text: the longest ARN fits. What is longer is cut, and a policy document that is longer left out."""

MAX_ELEMENTS: Final = 50
"""Elements of a list that are recorded: as many as a session or an entity has tags."""

MAX_PARAMETERS: Final = 16_384
"""Characters of all recorded parameters of a request; the rest is left out."""

RECORDED: Final = frozenset(
    """
    AWSServiceName AccessKeyId AccountAlias ActionNames AllUsers AllowUsersToChangePassword Arn AssertionEncryptionMode
    AssignmentStatus AssumeRolePolicyDocument AttachmentName Audience CallerArn CertificateId ClientID ClientIDList
    CredentialAgeDays CustomSuffix DelegationPermissionCheck DelegationRequestId DeletionTaskId Description DurationSeconds
    Encoding EntityArn EntityFilter EntityPath ExternalId Filter GlobalEndpointTokenVersion Granularity GroupName HardExpiry
    InstanceProfileName JobId Key Locale MaxItems MaxPasswordAge MaxSessionDuration MinimumPasswordLength
    MinimumSessionTokenSize Name NewGroupName NewPath NewServerCertificateName NewUserName OnlyAttached OnlySendByOwner
    OpenIDConnectProviderArn OrganizationsPolicyId OwnerAccountId OwnerId PasswordResetRequired PasswordReusePrevention Path
    PathPrefix PermissionsBoundary Policy PolicyArn PolicyArns PolicyDocument PolicyName PolicySourceArn PolicyTemplateArn
    PolicyUsageFilter PrincipalArn ProviderArn ProviderId RemovePrivateKey RequireLowercaseCharacters RequireNumbers
    RequireSymbols RequireUppercaseCharacters RequestorWorkflowId ResourceArns ResourceHandlingOption ResourceOwner RoleArn
    RoleName RoleSessionName SAMLProviderArn SSHPublicKeyId Scope SerialNumber ServerCertificateName ServiceName
    ServiceNamespace ServiceNamespaces ServiceSpecificCredentialId SessionDuration SetAsDefault SigningAlgorithm SortKey
    SourceIdentity Status TagKeys Tags TargetPrincipal TaskPolicyArn ThumbprintList TransitiveTagKeys Url UserName Value
    VersionId VirtualMFADeviceName arn
    """.split()  # noqa: SIM905 - a literal would take a line for each
)
"""Parameters of STS and IAM that are recorded, wherever in a request they stand. Whatever is not named here is not."""

ANSWERED: Final = frozenset(
    """
    AccessKey AccessKeyId Arn AssumedRoleId AssumedRoleUser Audience Certificate CertificateId CreateDate Credentials
    DelegationRequestId DeletionTaskId Expiration ExpirationDate FederatedUser FederatedUserId Fingerprint Group GroupId
    GroupName InstanceProfile InstanceProfileId InstanceProfileName Issuer LoginProfile NameQualifier OpenIDConnectProviderArn
    PackedPolicySize PasswordResetRequired Path Policy PolicyId PolicyName PolicyVersion IsDefaultVersion DefaultVersionId
    Provider Role RoleId RoleName SAMLProviderArn SSHPublicKey SSHPublicKeyId SerialNumber ServerCertificateId
    ServerCertificateMetadata ServerCertificateName ServiceName ServiceSpecificCredential ServiceSpecificCredentialId
    SourceIdentity Status Subject SubjectFromWebIdentityToken SubjectType UploadDate User UserId UserName VersionId
    VirtualMFADevice
    """.split()  # noqa: SIM905 - a literal would take a line for each
)
"""Members of answers that are recorded, for operations that write or issue something."""

_DOCUMENTS: Final = frozenset({"Policy", "PolicyDocument", "AssumeRolePolicyDocument"})
_INSTANTS: Final = frozenset({"Expiration", "CreateDate", "ExpirationDate", "UploadDate"})


def names_to_record(members: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Those of an operation's parameters that are recorded, each with its name in a record."""
    return tuple((name, _recorded_name(name)) for name in members if name in RECORDED)


def admitted(parameters: Mapping[str, Any], names: tuple[tuple[str, str], ...]) -> dict[str, Any] | None:
    """What is recorded of a request's parameters (``names``: of ``names_to_record``); None for nothing."""
    found: dict[str, Any] = {}
    for name, shown in names:
        value = parameters.get(name)
        if value is None:
            continue
        if (type(value) is str and len(value) <= 128) or type(value) is int:  # as nearly all are
            found[shown] = value
        else:
            _admit(found, name, shown, value)
    return found or None


def _admit(found: dict[str, Any], name: str, shown: str, value: Any) -> None:
    """A value that may have to be cut, or left out because of its length."""
    if name in _DOCUMENTS and isinstance(value, str) and len(value) > MAX_TEXT:
        return
    cut = _cut(value, RECORDED)
    if len(str(cut)) + sum(len(str(other)) for other in found.values()) <= MAX_PARAMETERS:
        found[shown] = cut


def recorded_answer(result: Mapping[str, object]) -> dict[str, Any] | None:
    """What is recorded of an operation's answer; None for nothing."""
    found: dict[str, Any] = _cut(result, ANSWERED)
    return found or None


def credentials_answer(result: Mapping[str, Any]) -> dict[str, Any]:
    """The same for an answer with temporary credentials, which are issued often: whose they are, their id and their end."""
    credentials = result["Credentials"]
    found: dict[str, Any] = {
        "credentials": {
            "accessKeyId": credentials["AccessKeyId"],
            "expiration": iso8601(credentials["Expiration"]),
        }
    }
    role = result.get("AssumedRoleUser")
    if role is not None:
        found["assumedRoleUser"] = {"assumedRoleId": role["AssumedRoleId"], "arn": role["Arn"]}
    principal = result.get("AssumedPrincipal")
    if principal is not None:
        found["assumedPrincipal"] = principal
    user = result.get("FederatedUser")
    if user is not None:
        found["federatedUser"] = {"federatedUserId": user["FederatedUserId"], "arn": user["Arn"]}
    return found


def _cut(value: Any, names: frozenset[str]) -> Any:
    """The value without what is in structures under other names, without long tails, and with instants as text."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        kept = [(name, inner) for name, inner in value.items() if name in names and inner is not None]
        return {
            _recorded_name(name): iso8601(inner)
            if name in _INSTANTS and isinstance(inner, int | float)
            else _cut(inner, names)
            for name, inner in kept
        }
    if isinstance(value, list | tuple):
        return [_cut(inner, names) for inner in value[:MAX_ELEMENTS]]
    return None  # bytes: no recorded member has any


def _recorded_name(name: str) -> str:
    """CloudTrail's spelling of a member: its first letter small, whatever follows."""
    return name[:1].lower() + name[1:]
