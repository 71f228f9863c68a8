# SPDX-License-Identifier: Apache-2.0
"""
Resources of the services behind us: whose they are, what their policies say, and what may never become public.

    AskedOperation -- resource_of --> access.Resource -- authorize, as everywhere --> Permitted
    Permitted -- put_policy, set_bucket_public_access, ... --> what is kept

The resources themselves are kept by the services behind; here is what those do not know: several accounts, and policies.
"""

from daypass.resources.acl import ACL_BODY_OPERATIONS, ACL_OPERATIONS, check_acl
from daypass.resources.deciding import resource_of
from daypass.resources.limits import ACL_BODY
from daypass.resources.managed import OWNER, POLICY, PUBLIC_ACCESS, is_managed, managed_aspects
from daypass.resources.naming import bucket_arn, bucket_name, check_arn, policy_arn_of
from daypass.resources.ownership import (
    NOTHING_PUBLIC,
    NOWHERE,
    Elsewhere,
    bucket_record,
    check_creation,
    owned,
    owner_of,
    record_creation,
    record_deletion,
    recorded_owner,
    set_owner,
    write_owner,
)
from daypass.resources.policies import put_policy, remove_policy, shown_policy, write_policy
from daypass.resources.public import is_public
from daypass.resources.public_access import (
    account_public_access,
    public_access_of,
    set_account_public_access,
    set_bucket_public_access,
    write_account_public_access,
    write_bucket_public_access,
)
from daypass.resources.rules import CheckedPolicy, check_policy, named_policy

__all__ = [
    "ACL_BODY",
    "ACL_BODY_OPERATIONS",
    "ACL_OPERATIONS",
    "NOTHING_PUBLIC",
    "NOWHERE",
    "OWNER",
    "POLICY",
    "PUBLIC_ACCESS",
    "CheckedPolicy",
    "Elsewhere",
    "account_public_access",
    "bucket_arn",
    "bucket_name",
    "bucket_record",
    "check_acl",
    "check_arn",
    "check_creation",
    "check_policy",
    "is_managed",
    "is_public",
    "managed_aspects",
    "named_policy",
    "owned",
    "owner_of",
    "policy_arn_of",
    "public_access_of",
    "put_policy",
    "record_creation",
    "record_deletion",
    "recorded_owner",
    "remove_policy",
    "resource_of",
    "set_account_public_access",
    "set_bucket_public_access",
    "set_owner",
    "shown_policy",
    "write_account_public_access",
    "write_bucket_public_access",
    "write_owner",
    "write_policy",
]
