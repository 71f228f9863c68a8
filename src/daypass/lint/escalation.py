# SPDX-License-Identifier: Apache-2.0
"""
Combinations of permissions that let their holder take more than was given: a row for every path.

Sources: Rhino Security Labs, "AWS IAM Privilege Escalation: Methods and Mitigation" (2018, the numbers are its own) and its
later list; Bishop Fox, "Privilege Escalation in AWS: 40+ methods" (IAM Vulnerable, 2021); the User Guide's own pages.
One document is looked at: what several documents of one principal grant together is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from daypass.lint.located import Span
from daypass.lint.narrowing import is_narrowed
from daypass.lint.stated import Inspection, Stated
from daypass.policy.actions import ActionElement, compile_actions, split_action
from daypass.policy.document import Kind


@dataclass(frozen=True, slots=True)
class Path:
    """One way up: all of ``actions`` together give it. ``gain`` completes "its holder can ..."."""

    name: str
    actions: tuple[str, ...]
    gain: str
    source: str


_RHINO: Final = "Rhino Security Labs, method"
_RHINO_MORE: Final = "Rhino Security Labs, later methods"
_BISHOP: Final = "Bishop Fox, IAM Vulnerable"
_GUIDE: Final = "IAM User Guide"
_PASSING_ROLE: Final = "iam:PassRole"


def _passing(name: str, service: str, *actions: str, source: str) -> Path:
    return Path(name, (_PASSING_ROLE, *actions), f"run {service} with any role that may be passed to it", source)


PATHS: Final = (
    Path("policy-version", ("iam:CreatePolicyVersion",), "rewrite an attached policy", f"{_RHINO} 1"),
    Path("default-version", ("iam:SetDefaultPolicyVersion",), "bring back an older, wider version", f"{_RHINO} 2"),
    _passing("pass-ec2", "an instance", "ec2:RunInstances", source=f"{_RHINO} 3"),
    Path("access-key", ("iam:CreateAccessKey",), "make keys for any user", f"{_RHINO} 4"),
    Path("login-profile", ("iam:CreateLoginProfile",), "give any user a password", f"{_RHINO} 5"),
    Path("new-password", ("iam:UpdateLoginProfile",), "change any user's password", f"{_RHINO} 6"),
    Path("attach-to-user", ("iam:AttachUserPolicy",), "attach any policy to itself", f"{_RHINO} 7"),
    Path("attach-to-group", ("iam:AttachGroupPolicy",), "attach any policy to its group", f"{_RHINO} 8"),
    Path("attach-to-role", ("iam:AttachRolePolicy",), "attach any policy to a role it uses", f"{_RHINO} 9"),
    Path("put-user-policy", ("iam:PutUserPolicy",), "write a policy for itself", f"{_RHINO} 10"),
    Path("put-group-policy", ("iam:PutGroupPolicy",), "write a policy for its group", f"{_RHINO} 11"),
    Path("put-role-policy", ("iam:PutRolePolicy",), "write a policy for a role it uses", f"{_RHINO} 12"),
    Path("join-group", ("iam:AddUserToGroup",), "join any group", f"{_RHINO} 13"),
    Path("trust-policy", ("iam:UpdateAssumeRolePolicy",), "make any role trust it", f"{_RHINO} 14"),
    _passing("pass-lambda", "a function", "lambda:CreateFunction", "lambda:InvokeFunction", source=f"{_RHINO} 15"),
    _passing(
        "pass-lambda-event",
        "a function",
        "lambda:CreateFunction",
        "lambda:CreateEventSourceMapping",
        source=f"{_RHINO} 16",
    ),
    _passing("pass-lambda-open", "a function", "lambda:CreateFunction", "lambda:AddPermission", source=_BISHOP),
    Path("function-code", ("lambda:UpdateFunctionCode",), "put its code into a function", f"{_RHINO} 17"),
    Path("function-layer", ("lambda:UpdateFunctionConfiguration",), "add a layer to a function", _RHINO_MORE),
    _passing("pass-glue-endpoint", "an endpoint", "glue:CreateDevEndpoint", source=f"{_RHINO} 18"),
    Path("glue-endpoint", ("glue:UpdateDevEndpoint",), "put its key on an endpoint", f"{_RHINO} 19"),
    _passing("pass-glue-job", "a job", "glue:CreateJob", "glue:StartJobRun", source=_BISHOP),
    _passing("pass-glue-changed-job", "a job", "glue:UpdateJob", "glue:StartJobRun", source=_BISHOP),
    _passing("pass-cloudformation", "a stack", "cloudformation:CreateStack", source=f"{_RHINO} 20"),
    _passing("pass-stack-set", "a stack set", "cloudformation:CreateStackSet", source=_RHINO_MORE),
    _passing(
        "pass-data-pipeline",
        "a pipeline",
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
        "datapipeline:ActivatePipeline",
        source=f"{_RHINO} 21",
    ),
    _passing(
        "pass-notebook",
        "a notebook",
        "sagemaker:CreateNotebookInstance",
        "sagemaker:CreatePresignedNotebookInstanceUrl",
        source=_RHINO_MORE,
    ),
    Path("notebook", ("sagemaker:CreatePresignedNotebookInstanceUrl",), "open a running notebook", _RHINO_MORE),
    _passing("pass-training", "a training job", "sagemaker:CreateTrainingJob", source=_BISHOP),
    _passing("pass-processing", "a processing job", "sagemaker:CreateProcessingJob", source=_BISHOP),
    _passing("pass-ecs", "a task", "ecs:RegisterTaskDefinition", "ecs:RunTask", source=_BISHOP),
    _passing("pass-codebuild", "a build", "codebuild:CreateProject", "codebuild:StartBuild", source=_BISHOP),
    _passing(
        "pass-step-functions", "a workflow", "states:CreateStateMachine", "states:StartExecution", source=_RHINO_MORE
    ),
    _passing("pass-emr", "a cluster", "elasticmapreduce:RunJobFlow", source=_RHINO_MORE),
    _passing("pass-apprunner", "a service", "apprunner:CreateService", source=_BISHOP),
    _passing("pass-batch", "a job", "batch:RegisterJobDefinition", "batch:SubmitJob", source=f"{_GUIDE}, PassRole"),
    _passing("pass-scheduler", "a schedule", "scheduler:CreateSchedule", source=f"{_GUIDE}, PassRole"),
    _passing(
        "pass-instance-profile",
        "an instance that it controls",
        "ec2:AssociateIamInstanceProfile",
        source=f"{_GUIDE}, Using instance profiles",
    ),
    _passing("pass-identity-pool", "an identity pool", "cognito-identity:SetIdentityPoolRoles", source=_RHINO_MORE),
    Path("ssm-command", ("ssm:SendCommand",), "run commands on any instance, as its role", _BISHOP),
    Path("ssm-session", ("ssm:StartSession",), "open a shell on any instance, as its role", _BISHOP),
    Path(
        "instance-connect", ("ec2-instance-connect:SendSSHPublicKey",), "log in to any instance, as its role", _BISHOP
    ),
    Path(
        "user-data",
        ("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
        "restart an instance with its own start script",
        _RHINO_MORE,
    ),
    Path("assume-any-role", ("sts:AssumeRole",), "take every role that trusts the account", _BISHOP),
    Path(
        "drop-user-boundary",
        ("iam:DeleteUserPermissionsBoundary",),
        "remove its own boundary",
        f"{_GUIDE}, Permissions boundaries",
    ),
    Path(
        "drop-role-boundary",
        ("iam:DeleteRolePermissionsBoundary",),
        "remove its role's boundary",
        f"{_GUIDE}, Permissions boundaries",
    ),
    Path("saml-metadata", ("iam:UpdateSAMLProvider",), "become the identity provider that roles trust", _GUIDE),
    Path(
        "permission-set",
        ("sso:PutInlinePolicyToPermissionSet", "sso:ProvisionPermissionSet"),
        "widen its permission set",
        "IAM Identity Center User Guide, Permission sets",
    ),
)
"""Every path that is looked for."""

_WILDCARD: Final = re.compile(r"[*:/]*|[A-Za-z-]+[/:]\*+")
_Grant = tuple[Stated, Span]


def check_escalation(work: Inspection) -> None:
    """Report the paths that one document opens by Allows on wildcard resources without a narrowing condition."""
    if work.kind is not Kind.IDENTITY:
        return
    grants = [(stated, _element(stated)) for stated in work.statements if _is_wide(stated)]
    denied = [_element(stated) for stated in work.statements if _denies_always(stated)]
    opened: dict[Span, tuple[Stated, list[Path]]] = {}
    for path in PATHS:
        found = [_grant(grants, denied, *split_action(action)) for action in path.actions]
        if found and None not in found and found[0] is not None:
            stated, entry = found[0]
            opened.setdefault(entry, (stated, []))[1].append(path)
    for place, (granting, paths) in opened.items():
        _report(work, granting, place, paths)


def _report(work: Inspection, stated: Stated, entry: Span, paths: list[Path]) -> None:
    first = paths[0]
    others = ", ".join(path.name for path in paths[1:4]) + (", ..." if len(paths) > 4 else "")
    more = f" ({len(paths) - 1} more: {others})" if others else ""
    needs = " with ".join([first.actions[0], " and ".join(first.actions[1:])] if first.actions[1:] else first.actions)
    message = f"{needs} on every resource: its holder can {first.gain}{more}; name the resources, or add a condition."
    work.report("privilege-escalation", stated, entry, message)


def _element(stated: Stated) -> ActionElement:
    return compile_actions(stated.source.actions, negated=stated.source.not_action is not None)


def _is_wide(stated: Stated) -> bool:
    if not stated.allows or is_narrowed(stated) or _covers_everything(stated):
        return False
    return stated.source.resource is None or any(map(_is_wildcard, stated.source.resource))


def _covers_everything(stated: Stated) -> bool:
    """Reported as ``allow-everything``; the paths would only repeat it."""
    return "*" in (stated.source.action or ())


def _is_wildcard(resource: str) -> bool:
    """``*``, and ARNs that name at most the type: ``arn:aws:iam::123456789012:role/*``."""
    return _WILDCARD.fullmatch(resource.split(":", 5)[-1]) is not None


def _denies_always(stated: Stated) -> bool:
    return not stated.allows and not stated.source.has_condition and "*" in (stated.source.resource or ())


def _grant(
    grants: list[tuple[Stated, ActionElement]], denied: list[ActionElement], service: str, name: str
) -> _Grant | None:
    """The statement that grants the action and the entry that does; None when it is not granted, or denied."""
    if any(element.matches(service, name) for element in denied):
        return None
    for stated, element in grants:
        if element.matches(service, name):
            return stated, next(_granting(stated, element, service, name), stated.place("NotAction"))
    return None


def _granting(stated: Stated, element: ActionElement, service: str, name: str) -> Iterator[Span]:
    for entry, pattern in zip(stated.actions, element.patterns, strict=True):
        if not element.negated and pattern.matches(service, name):
            yield entry
