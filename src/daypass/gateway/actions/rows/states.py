# SPDX-License-Identifier: Apache-2.0
"""Step Functions (Service Authorization Reference, "AWS Step Functions")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from daypass.gateway.actions.rules import Resources, Rule, named, on, own_arn, passing_role, together

_NAME: Final = "[A-Za-z0-9_-]{1,80}"
_RUN: Final = "[A-Za-z0-9_-]{1,128}"
_MACHINE_NAME: Final = Resources("stateMachine:{}", re.compile(_NAME, re.ASCII))
_ACTIVITY_NAME: Final = Resources("activity:{}", re.compile(_NAME, re.ASCII))
_MACHINE_PART: Final = f"stateMachine:{_NAME}"
_QUALIFIED_PART: Final = f"stateMachine:{_NAME}:{_NAME}"
_ACTIVITY_PART: Final = f"activity:{_NAME}"
_MACHINE = own_arn("stateMachineArn", _MACHINE_PART, _QUALIFIED_PART)
_EXECUTION = own_arn(
    "executionArn", f"execution:{_NAME}(?:/{_NAME})?:{_RUN}", f"express:{_NAME}(?:/{_NAME})?:{_RUN}:{_RUN}"
)
_TAGGED = own_arn("resourceArn", _MACHINE_PART, _ACTIVITY_PART)
_MAP_RUN = own_arn("mapRunArn", f"mapRun:{_NAME}/{_NAME}:{_RUN}")
_ENCRYPTED: Final = ("encryptionConfiguration", "loggingConfiguration")
_PASSED = passing_role("roleArn", "states.amazonaws.com")

ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("StartExecution", "StartSyncExecution", "DescribeStateMachine", "DeleteStateMachine"),
            *("ListStateMachineAliases", "ListStateMachineVersions", "PublishStateMachineVersion"),
        ),
        on(_MACHINE),
    ),
    "ListExecutions": on(_MACHINE, refused=("mapRunArn",)),
    "CreateStateMachine": together(
        on(named("name", _MACHINE_NAME), tagging="TagResource", refused=_ENCRYPTED), _PASSED
    ),
    "UpdateStateMachine": together(on(_MACHINE, refused=_ENCRYPTED), _PASSED),
    **dict.fromkeys(
        (
            *("DescribeExecution", "DescribeStateMachineForExecution", "GetExecutionHistory", "ListMapRuns"),
            *("RedriveExecution", "StopExecution"),
        ),
        on(_EXECUTION),
    ),
    **dict.fromkeys(("DescribeMapRun", "UpdateMapRun"), on(_MAP_RUN)),
    "CreateActivity": on(named("name", _ACTIVITY_NAME), tagging="TagResource", refused=("encryptionConfiguration",)),
    **dict.fromkeys(
        ("DescribeActivity", "DeleteActivity", "GetActivityTask"),
        on(own_arn("activityArn", _ACTIVITY_PART)),
    ),
    **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), on(_TAGGED)),
    **dict.fromkeys(
        ("DescribeStateMachineAlias", "DeleteStateMachineAlias"),
        on(own_arn("stateMachineAliasArn", _QUALIFIED_PART)),
    ),
    "DeleteStateMachineVersion": on(own_arn("stateMachineVersionArn", f"stateMachine:{_NAME}:[0-9]{{1,10}}")),
}
