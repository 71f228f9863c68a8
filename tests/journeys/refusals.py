# SPDX-License-Identifier: Apache-2.0
"""What a boto3 client was refused with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Refusal:
    """The code, the HTTP status and the sentence of an error; and of a denial, the encoded message behind it."""

    code: str
    status: int
    message: str
    encoded: str = ""


def refusal(call: Callable[..., Any], /, **parameters: Any) -> Refusal:
    """Make a call that is refused. Fails when it is not."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    message, _, encoded = response["Error"]["Message"].partition(". Encoded authorization failure message: ")
    return Refusal(response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], message, encoded)


def refused(call: Callable[..., Any], /, **parameters: Any) -> tuple[str, int]:
    """The code and the HTTP status of a call that is refused."""
    found = refusal(call, **parameters)
    return found.code, found.status
