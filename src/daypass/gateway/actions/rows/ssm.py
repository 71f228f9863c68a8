# SPDX-License-Identifier: Apache-2.0
"""Systems Manager: parameters and documents (Service Authorization Reference, "AWS Systems Manager")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from daypass.errors import Reason, RequestError
from daypass.gateway.actions.rules import Asked, Resources, Rule, invalid, named, on, own_resource

_PATH: Final = re.compile(r"/?[A-Za-z0-9_.-]{1,1011}(?:/[A-Za-z0-9_.-]{1,1011}){0,14}", re.ASCII)
_SELECTOR: Final = re.compile(r":[A-Za-z0-9_.-]{1,100}", re.ASCII)
DOCUMENT: Final = Resources("document/{}", re.compile("[A-Za-z0-9_.-]{1,128}", re.ASCII))


def _parameter(asked: Asked, text: str, parameter: str) -> str:
    """The ARN of a parameter: without its leading slash, and without the version or label behind a colon."""
    if text.startswith("arn:"):
        resource = own_resource(asked, text, parameter)
        if not resource.startswith("parameter/"):
            raise invalid(parameter, "the ARN of a parameter")
        text = resource.removeprefix("parameter/")
    name, colon, _ = text.partition(":")
    if _PATH.fullmatch(name) is None or (colon and _SELECTOR.fullmatch(text[len(name) :]) is None):
        raise invalid(parameter, "the name or the ARN of a parameter")
    return asked.arn(f"parameter/{name.removeprefix('/')}")


def _named(asked: Asked) -> Sequence[str]:
    return (_parameter(asked, asked.text("Name"), "Name"),)


def _all_named(asked: Asked) -> Sequence[str]:
    found = []
    for item in asked.items("Names"):
        if not isinstance(item, str):
            raise invalid("Names", "a list of texts")
        found.append(_parameter(asked, item, "Names"))
    return found


def _below(asked: Asked) -> Sequence[str]:
    """The path itself: whoever may get it gets all that is below it (Parameter Store, "Restricting access")."""
    path = asked.text("Path")
    if path == "/":
        return (asked.arn("parameter/"),)
    if ":" in path or not path.startswith("/"):
        raise invalid("Path", "a path that starts with a slash")
    return (_parameter(asked, path.removesuffix("/"), "Path"),)


def _parameter_resource(asked: Asked) -> Sequence[str]:
    if asked.text("ResourceType") != "Parameter":
        raise RequestError(
            Reason.UNSUPPORTED_OPERATION, f"{asked.operation} is supported here for parameters only (ResourceType)."
        )
    return (_parameter(asked, asked.text("ResourceId"), "ResourceId"),)


ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        ("GetParameter", "GetParameterHistory", "DeleteParameter", "LabelParameterVersion", "UnlabelParameterVersion"),
        on(_named),
    ),
    "PutParameter": on(_named, tagging="AddTagsToResource", refused=("KeyId",)),
    **dict.fromkeys(("GetParameters", "DeleteParameters"), on(_all_named)),
    "GetParametersByPath": on(_below),
    **dict.fromkeys(("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"), on(_parameter_resource)),
    **dict.fromkeys(
        (
            *(
                "GetDocument",
                "DescribeDocument",
                "DeleteDocument",
                "ListDocumentVersions",
                "UpdateDocumentDefaultVersion",
            ),
            *("DescribeDocumentPermission", "ModifyDocumentPermission"),
        ),
        on(named("Name", DOCUMENT)),
    ),
    "CreateDocument": on(named("Name", DOCUMENT), tagging="AddTagsToResource", refused=("Attachments", "Requires")),
    "UpdateDocument": on(named("Name", DOCUMENT), refused=("Attachments",)),
}
