# SPDX-License-Identifier: Apache-2.0
"""
The form of a state file: its keys, what they may hold, and the JSON Schema that editors check it by.

A kind of content is a section of the whole file, with a class of its own. What a section means is in
``daypass.statefile.reading``.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from daypass.arn import Arn, is_account_id
from daypass.errors import EntityError
from daypass.resources import bucket_name, check_arn
from daypass.statefile.limits import PATH, RESOURCES

_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]+")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _version(value: object) -> object:
    if type(value) is not int:
        raise ValueError("expected 1")
    return value


def _account(value: object) -> object:
    if not isinstance(value, str) or not is_account_id(value):
        raise ValueError("expected twelve digits, in quotes")
    return value


def _arn(value: str) -> str:
    try:
        check_arn(value)
    except EntityError as error:
        raise ValueError(str(error)) from None
    return value


def _policy(value: object) -> object:
    if isinstance(value, dict) and value:
        return value
    if not isinstance(value, str) or len(value) > PATH or _PRINTABLE.fullmatch(value) is None:
        raise ValueError("expected the path of a policy, or the policy itself")
    return value


def _block(value: object) -> object:
    if value == "all":
        return dict.fromkeys(PublicAccessSection.model_fields, True)
    if value == "none":
        return None
    if not isinstance(value, dict) or not value:
        raise ValueError("expected all, none, or settings that are true or false")
    return value


def _without_default(schema: dict[str, Any]) -> None:
    """For editors: a key that may be absent, and may not be null."""
    schema.pop("default")


class PublicAccessSection(_Section):
    """The settings of a public access block; what is not there is off."""

    block_public_acls: bool = Field(default=False, description="Refuse requests that bring a public ACL.")
    ignore_public_acls: bool = Field(default=False, description="Kept and shown; ACLs never grant anything here.")
    block_public_policy: bool = Field(default=False, description="Refuse bucket policies that are public.")
    restrict_public_buckets: bool = Field(
        default=False, description="From a public policy, other accounts and strangers get nothing."
    )


_Digits = Annotated[str, Field(pattern="^[0-9]{12}$")]
Account = Annotated[str, BeforeValidator(_account, json_schema_input_type=_Digits)]
Owner = Annotated[str | None, BeforeValidator(_account, json_schema_input_type=_Digits)]
"""An account; None where the key is absent, and never because somebody wrote ``null``."""
Document = Annotated[str | dict[str, Any] | None, BeforeValidator(_policy, json_schema_input_type=str | dict[str, Any])]
"""A path or a document; None likewise."""
Block = Annotated[
    PublicAccessSection | None,
    BeforeValidator(_block, json_schema_input_type=Literal["all", "none"] | PublicAccessSection),
]
"""A public access block; None for ``none``, and where the key is absent."""


class ResourceSection(_Section):
    """One resource, and what of it the file manages: what it names, and nothing else."""

    arn: Annotated[str, AfterValidator(_arn)] = Field(
        description="The ARN of a bucket, or of another resource that can have a policy (docs/resource-policies.md)."
    )
    owner: Owner = Field(
        default=None,
        json_schema_extra=_without_default,
        description="Twelve digits, in quotes: the account that the bucket belongs to. Without, it must be recorded already. "
        "Other resources belong to the account in their ARN; one whose ARN has none needs it with its policy.",
    )
    policy: Document = Field(
        default=None,
        json_schema_extra=_without_default,
        description="The policy: the path of a file, from the directory of the state file (JSON, or YAML by its name), or the "
        "document itself.",
    )
    public_access_block: Block = Field(
        default=None,
        json_schema_extra=_without_default,
        description="Of a bucket: `all` four settings, `none`, or each by its name.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        given = self.model_fields_set - {"arn"}
        if not given:
            raise ValueError("expected owner, policy or public_access_block")
        if bucket_name(self.arn) is None:
            self._check_no_bucket(given)
        return self

    def _check_no_bucket(self, given: set[str]) -> None:
        if "public_access_block" in given:
            raise ValueError("public_access_block is for buckets and accounts")
        account = Arn.parse(self.arn).account
        if account and self.owner not in (None, account):
            raise ValueError(f"it belongs to {account}, by its ARN")
        if "policy" not in given:
            raise ValueError("the owner of a resource that is no bucket is kept with its policy")


class StateSection(_Section):
    """A state file: what shall be, whatever was before."""

    version: Annotated[Literal[1], BeforeValidator(_version, json_schema_input_type=Literal[1])] = Field(
        description="Always 1."
    )
    resources: tuple[ResourceSection, ...] = Field(
        default=(), strict=False, max_length=RESOURCES, description="Owners, policies and public access of resources."
    )
    public_access_blocks: dict[Account, Block] = Field(
        default_factory=dict,
        json_schema_extra={"additionalProperties": False},
        description="By account, twelve digits in quotes: the public access block for all its buckets; `all` four settings, "
        "`none`, or each by its name.",
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a state file (draft 2020-12)."""
    made = StateSection.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "daypass state file"}
