# SPDX-License-Identifier: Apache-2.0
"""The parameters of STS: those that botocore's model has, and what docs/sts-parameters.toml says becomes of each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, cast

from daypass.api.operations import _sts
from sts.asking import MODEL

TABLE = Path(__file__).parent.parent.parent / "docs" / "sts-parameters.toml"
OFFERED = sorted(operation.name for operation in _sts(cast(Any, None)))
"""The operations that are offered."""

REFUSED = "refused"
"""What the table has for a parameter that is refused by name, whatever its value."""


def parameters_of(operation: str) -> tuple[str, ...]:
    """The parameters of an operation, in the model's order."""
    shape = MODEL.operation_model(operation).input_shape
    return () if shape is None else tuple(shape.members)


def required_of(operation: str) -> tuple[str, ...]:
    """Those of them that are required."""
    shape = MODEL.operation_model(operation).input_shape
    return () if shape is None else tuple(shape.required_members)


def table() -> dict[str, dict[str, str]]:
    """By operation and parameter: the test that shows that it is enforced, or ``refused``."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
