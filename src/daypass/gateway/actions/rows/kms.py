# SPDX-License-Identifier: Apache-2.0
"""KMS (Service Authorization Reference, "AWS Key Management Service"; KMS Developer Guide, "API permissions").

Keys are told by their ids and ARNs. A request that names a key by an alias is refused: policies are about keys, and only
the backend knows which key an alias stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.gateway.actions.rules import Asked, Resources, Rule, name_or_arn, named, on
from daypass.gateway.asking import Needed

KEY: Final = Resources("key/{}", re.compile("(?!alias/)[A-Za-z0-9-]{1,128}", re.ASCII))
_ALIAS: Final = Resources("{}", re.compile("alias/[A-Za-z0-9/_-]{1,250}", re.ASCII))
_KEY = name_or_arn("KeyId", KEY)


def _reencrypt(asked: Asked) -> Sequence[Needed]:
    (source,), (destination,) = name_or_arn("SourceKeyId", KEY)(asked), name_or_arn("DestinationKeyId", KEY)(asked)
    return [Needed("kms:ReEncryptFrom", source), Needed("kms:ReEncryptTo", destination)]


def _new_key(asked: Asked) -> Sequence[Needed]:
    """A new key has no name before it is there: its action and that of its tags are on ``*``."""
    actions = ("CreateKey", "TagResource") if asked.has("Tags") else ("CreateKey",)
    return [Needed(f"kms:{action}", "*") for action in actions]


ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("CancelKeyDeletion", "CreateGrant", "Decapsulate", "Decrypt", "DeleteImportedKeyMaterial"),
            *(
                "DeriveSharedSecret",
                "DescribeKey",
                "DisableKey",
                "DisableKeyRotation",
                "EnableKey",
                "EnableKeyRotation",
            ),
            *("Encapsulate", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyWithoutPlaintext"),
            *("GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "GetKeyLastUsage", "GetKeyPolicy"),
            *("GetKeyRotationStatus", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListGrants"),
            *("ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "RetireGrant", "RevokeGrant"),
            *("RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "TagResource", "UntagResource"),
            *("UpdateKeyDescription", "Verify", "VerifyMac"),
        ),
        on(_KEY),
    ),
    "CreateKey": _new_key,
    "ReEncrypt": _reencrypt,
    "CreateAlias": on(named("AliasName", _ALIAS), name_or_arn("TargetKeyId", KEY)),
}
