# SPDX-License-Identifier: Apache-2.0
"""
What accounts and users own besides identities, policies and keys: profiles, certificates, credentials of other kinds,
settings, and what was noted about their use. Records like those of ``daypass.store.records``.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from daypass import arn
from daypass.store.records import Link, Record, Status, Tags, _set


class _OfAUser(Record, frozen=True):
    """Something that a user owns, and that goes with it. Sorted by its own id."""

    named = False
    linking: ClassVar[tuple[str, ...]] = ("user_id",)

    account: str
    user_id: str

    @property
    def sort_name(self) -> str:
        """Its id."""
        return self.key

    def links(self) -> tuple[Link, ...]:
        """Its user."""
        return (("user", self.user_id),)


class LoginProfile(_OfAUser, frozen=True):
    """A user's password for the portal. ``password_hash`` and ``former_hashes`` (newest first) are argon2id strings."""

    kind = "login_profile"
    collection = "login_profiles"
    identity = ("user_id",)
    permanent = False
    hidden = frozenset({"password_hash", "former_hashes"})

    password_hash: str
    created_at: int
    changed_at: int
    reset_required: bool
    former_hashes: tuple[str, ...] = ()


class SshPublicKey(_OfAUser, frozen=True):
    """An SSH public key. ``unique_id`` begins with APKA; ``fingerprint`` is MD5 in colon form, as IAM shows it."""

    kind = "ssh_public_key"
    collection = "ssh_public_keys"

    unique_id: str
    body: str
    fingerprint: str
    status: Status
    uploaded_at: int


class SigningCertificate(_OfAUser, frozen=True):
    """An X.509 signing certificate. ``unique_id`` is IAM's CertificateId; ``body`` the PEM text as sent."""

    kind = "signing_certificate"
    collection = "signing_certificates"
    linking = ("user_id", "fingerprint")

    unique_id: str
    body: str
    fingerprint: str
    status: Status
    uploaded_at: int

    def links(self) -> tuple[Link, ...]:
        """Its user; and what it certifies, of which an account has one only."""
        return (("user", self.user_id), ("certificate", self.fingerprint))


class ServiceSpecificCredential(_OfAUser, frozen=True):
    """A user name and password for one service. ``unique_id`` begins with ACCA; the password is under the master key."""

    kind = "service_credential"
    collection = "service_credentials"
    linking = ("user_id", "user_name")
    hidden = frozenset({"wrapped_password"})

    unique_id: str
    service: str
    user_name: str
    wrapped_password: bytes
    status: Status
    created_at: int
    expires_at: int | None = None

    def links(self) -> tuple[Link, ...]:
        """Its user; and the name that it signs in with at its service."""
        return (("user", self.user_id), ("service user", f"{self.service}:{self.user_name}"))


class InstanceProfile(Record, frozen=True):
    """A container for one role. ``role_id`` is the role's unique id, or None."""

    kind = "instance_profile"
    collection = "instance_profiles"
    linking = ("role_id",)
    derived = frozenset({"arn"})

    account: str
    path: str
    name: str
    unique_id: str
    created_at: int
    role_id: str | None = None
    tags: Tags = ()
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:instance-profile/PATH/NAME``."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.instance_profile_arn(self.account, self.path, self.name))

    def links(self) -> tuple[Link, ...]:
        """Its role."""
        return () if self.role_id is None else (("role", self.role_id),)


class ServerCertificate(Record, frozen=True):
    """A TLS certificate with its private key, which is kept under the master key and never shown."""

    kind = "server_certificate"
    collection = "server_certificates"
    derived = frozenset({"arn"})
    hidden = frozenset({"wrapped_private_key"})

    account: str
    path: str
    name: str
    unique_id: str
    body: str
    chain: str | None
    wrapped_private_key: bytes
    uploaded_at: int
    expires_at: int
    tags: Tags = ()
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:server-certificate/PATH/NAME``."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.server_certificate_arn(self.account, self.path, self.name))


class PasswordPolicy(msgspec.Struct, frozen=True):
    """The rules for passwords of an account (IAM API, PasswordPolicy), with IAM's defaults."""

    minimum_length: int = 6
    require_symbols: bool = False
    require_numbers: bool = False
    require_uppercase: bool = False
    require_lowercase: bool = False
    allow_users_to_change: bool = False
    max_age_days: int | None = None
    reuse_prevention: int | None = None
    hard_expiry: bool | None = None


class AccountSettings(Record, frozen=True):
    """What an account has set; without a record everything is as in a new account.

    ``alias`` is the account alias or None, unique among all accounts. ``token_version``: v1Token or v2Token.
    ``web_identity_enabled_at``: since when outbound web identity federation is enabled; None where it is not.
    """

    kind = "account_settings"
    collection = "account_settings"
    identity = ("account",)
    named = permanent = False

    account: str
    alias: str | None = None
    password_policy: PasswordPolicy | None = None
    token_version: str = "v1Token"  # noqa: S105 - a name of the IAM API
    properties: tuple[tuple[str, str], ...] = ()
    web_identity_enabled_at: int | None = None

    @property
    def sort_name(self) -> str:
        """There is one of an account."""
        return self.account

    @property
    def owner(self) -> str:
        """Kept together, so that an alias can be looked for in all of them."""
        return ""


class ServiceLinkedRoleDeletion(Record, frozen=True):
    """A deletion of a service-linked role that was asked for. ``unique_id`` is IAM's DeletionTaskId."""

    kind = "role_deletion"
    collection = "role_deletions"
    named = False

    account: str
    unique_id: str
    role_arn: str
    created_at: int

    @property
    def sort_name(self) -> str:
        """Its id."""
        return self.unique_id


class CredentialReport(Record, frozen=True):
    """The newest credential report of an account, in CSV."""

    kind = "credential_report"
    collection = "credential_reports"
    identity = ("account",)
    named = permanent = False
    hidden = frozenset({"content"})

    account: str
    generated_at: int
    content: str

    @property
    def sort_name(self) -> str:
        """There is one of an account."""
        return self.account


class AccessReport(Record, frozen=True):
    """A question about when services were last accessed (GenerateServiceLastAccessedDetails). ``unique_id``: the JobId.

    ``granularity``: SERVICE_LEVEL or ACTION_LEVEL. ``entity_arn``: a user, group, role or managed policy. ``requested_by``:
    the ``aws:userid`` of who asked, to whom alone it is answered.
    """

    kind = "access_report"
    collection = "access_reports"
    named = permanent = False

    account: str
    unique_id: str
    entity_arn: str
    granularity: str
    created_at: int
    requested_by: str

    @property
    def sort_name(self) -> str:
        """Its id."""
        return self.unique_id


class LastUse(Record, frozen=True):
    """When an entity last used one action: the digest of the audit trail that IAM's reports are made from.

    ``entity_id``: the unique id of a user or role, or an access key id; ``action`` without its service. ``caller``: the
    ARN of who called. Written in batches, some seconds late.
    """

    kind = "last_use"
    collection = "last_uses"
    identity = ("entity_id", "service", "action")
    linking = ("entity_id",)
    named = permanent = False

    account: str
    entity_id: str
    service: str
    action: str
    used_at: int
    region: str
    caller: str

    @property
    def sort_name(self) -> str:
        """Its identity."""
        return self.key

    def links(self) -> tuple[Link, ...]:
        """Whose use it was."""
        return (("entity", self.entity_id),)


class SamlPrivateKey(msgspec.Struct, frozen=True):
    """A private key that assertions are decrypted with, under the master key. ``key_id`` is IAM's KeyId."""

    key_id: str
    wrapped: bytes
    created_at: int

    def __repr__(self) -> str:
        return f"SamlPrivateKey(key_id={self.key_id!r})"


class SamlProvider(Record, frozen=True):
    """
    A SAML provider. ``metadata`` is the text as sent; ``uuid`` is IAM's SAMLProviderUUID.

    - ``entity_id``: whose metadata it is: the issuer that its assertions name.
    - ``valid_until``: when the metadata ends, by its own words; None where it does not say.
    - ``encryption_mode``: Required or Allowed, or None where it was never said.
    - ``private_keys``: two at most, in the order they were added.
    """

    kind = "saml_provider"
    collection = "saml_providers"
    identity = ("account", "name")
    folded = permanent = False
    linking = ("entity_id",)
    derived = frozenset({"arn"})
    hidden = frozenset({"metadata"})

    account: str
    name: str
    uuid: str
    entity_id: str
    metadata: str
    valid_until: int | None
    created_at: int
    encryption_mode: str | None = None
    private_keys: tuple[SamlPrivateKey, ...] = ()
    tags: Tags = ()
    arn: str = ""
    """``arn:aws:iam::ACCOUNT:saml-provider/NAME``."""

    def __post_init__(self) -> None:
        _set(self, "arn", arn.saml_provider_arn(self.account, self.name))

    def links(self) -> tuple[Link, ...]:
        """Its issuer, of whom an account may have registered several."""
        return (("issuer", self.entity_id),)


class DelegationRequest(Record, frozen=True):
    """A request for delegated access (IAM API, DelegationRequest). ``unique_id`` is the DelegationRequestId.

    ``account``: the owner's if it is known, and until then the requestor's. ``requestor_id``, ``owner_id`` and
    ``approver_id``: ARNs of principals; ``owner_user_id`` and ``approver_user_id``: what their ``aws:userid`` was, for
    another may have the ARN by now.

    ``state``: UNASSIGNED, ASSIGNED, PENDING_APPROVAL, FINALIZED, ACCEPTED, REJECTED or EXPIRED. ``parameters``: (name,
    type, values) of the policy template.
    """

    kind = "delegation_request"
    collection = "delegation_requests"
    named = False
    linking = ("workflow_id",)

    account: str
    unique_id: str
    requestor_account: str
    requestor_id: str
    requestor_name: str
    description: str
    template_arn: str | None
    parameters: tuple[tuple[str, str, tuple[str, ...]], ...]
    permission_policy: str | None
    request_message: str | None
    workflow_id: str
    redirect_url: str | None
    notification_channel: str
    session_duration: int
    only_send_by_owner: bool
    state: str
    created_at: int
    updated_at: int
    expires_at: int
    owner_account: str | None = None
    owner_id: str | None = None
    owner_user_id: str | None = None
    approver_id: str | None = None
    approver_user_id: str | None = None
    notes: str | None = None
    rejection_reason: str | None = None

    @property
    def sort_name(self) -> str:
        """Its id."""
        return self.unique_id

    def links(self) -> tuple[Link, ...]:
        """The work it is a part of, at the requestor's."""
        return (("workflow", f"{self.requestor_account}:{self.workflow_id}"),)
