# SPDX-License-Identifier: Apache-2.0
"""
What the service remembers (SQLite; the schema is meant for PostgreSQL too).

    Store.open(url, data_dir) --> store
    store.view()                  everything at one instant, in memory: synchronous, current, immutable
    store.transaction()           read, check and write; on the disk when the block ends

- ``records``      the entities, as frozen values; ``belongings``: what they own besides; ``controls``: what governs them;
  ``resources``: buckets, and policies of resources of the services behind us; ``declared``: what a state file manages
- ``kinds``        from records to rows and back
- ``view``         lookups; ``snapshot``: the containers that make the next view cheap
- ``reader``       keeps the view current; ``loading``: from the tables to a view
- ``transaction``  writes, and the change log that readers follow
- ``issued``       the log of issued sessions, which is in no view
- ``audit_trail``  the audit trail, which is in no view either
- ``schema``       the tables; ``migrate`` and ``migrations``: how a file gets them
- ``sqlite``       what is SQLite's own

The store leaves to others what a record means: it does not parse policies, unwrap keys or check who asks.
"""

from typing import TYPE_CHECKING

from daypass.store.belongings import (
    AccessReport,
    AccountSettings,
    CredentialReport,
    DelegationRequest,
    InstanceProfile,
    LastUse,
    LoginProfile,
    PasswordPolicy,
    SamlPrivateKey,
    SamlProvider,
    ServerCertificate,
    ServiceLinkedRoleDeletion,
    ServiceSpecificCredential,
    SigningCertificate,
    SshPublicKey,
)
from daypass.store.controls import (
    IssuerKey,
    Membership,
    MfaDevice,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
    Revocation,
    RevocationScope,
)
from daypass.store.declared import STATE_FILE, Managed, StateFile
from daypass.store.health import readable, state_problem
from daypass.store.issued import IssuedSession, count_issued, issued_sessions
from daypass.store.migrate import migrate
from daypass.store.records import (
    AccessKey,
    AccessKeyStatus,
    Account,
    Group,
    ManagedPolicy,
    OidcProvider,
    PolicyVersion,
    Record,
    Role,
    SealingKey,
    Status,
    User,
)
from daypass.store.resources import AccountPublicAccess, Bucket, PublicAccess, ResourcePolicy
from daypass.store.snapshot import SortedRecords
from daypass.store.store import Store
from daypass.store.view import Records, View

if TYPE_CHECKING:
    # For annotations only: at run time it would bring SQLAlchemy into every process that reads.
    from daypass.store.transaction import Transaction

__all__ = [
    "STATE_FILE",
    "AccessKey",
    "AccessKeyStatus",
    "AccessReport",
    "Account",
    "AccountPublicAccess",
    "AccountSettings",
    "Bucket",
    "CredentialReport",
    "DelegationRequest",
    "Group",
    "InstanceProfile",
    "IssuedSession",
    "IssuerKey",
    "LastUse",
    "LoginProfile",
    "Managed",
    "ManagedPolicy",
    "Membership",
    "MfaDevice",
    "OidcProvider",
    "Organization",
    "OrganizationPolicy",
    "OrganizationalUnit",
    "PasswordPolicy",
    "PolicyVersion",
    "PublicAccess",
    "Record",
    "Records",
    "ResourcePolicy",
    "Revocation",
    "RevocationScope",
    "Role",
    "SamlPrivateKey",
    "SamlProvider",
    "SealingKey",
    "ServerCertificate",
    "ServiceLinkedRoleDeletion",
    "ServiceSpecificCredential",
    "SigningCertificate",
    "SortedRecords",
    "SshPublicKey",
    "StateFile",
    "Status",
    "Store",
    "Transaction",
    "User",
    "View",
    "count_issued",
    "issued_sessions",
    "migrate",
    "readable",
    "state_problem",
]


def __getattr__(name: str) -> object:
    """``Transaction`` at run time, for whoever does want it there (PEP 562)."""
    if name == "Transaction":
        from daypass.store.transaction import Transaction

        return Transaction
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
