# SPDX-License-Identifier: Apache-2.0
"""
What a denial is made of: the form that a kind of service gives it, a row of a table of codes, and the answer itself.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Kind = Literal["s3", "json", "query", "http"]
"""S3's XML; AWS JSON 1.0 and 1.1; AWS Query; the JSON of API Gateway, for everything else."""


class DenialForm(msgspec.Struct, frozen=True):
    """
    How one kind of service denies.

    - ``xml_namespace``: of kind ``query``: the namespace of the service's answers.
    - ``json_version``: of kind ``json``: ``1.0`` or ``1.1``, as the content type says it.
    - ``denied_code``: the code for a caller who may not, where the service has its own (SNS says AuthorizationError).
    - ``query_errors``: of kind ``json``: name the error as the service's Query protocol does, too, in the header
      ``x-amzn-query-error`` (Smithy, "awsQueryCompatible trait").
    """

    kind: Kind
    xml_namespace: str = ""
    json_version: str = "1.0"
    denied_code: str = ""
    query_errors: bool = False


S3_FORM: Final = DenialForm("s3")
HTTP_FORM: Final = DenialForm("http")


class Row(msgspec.Struct, frozen=True):
    """What clients see of one trouble: the code, the HTTP status, and AWS's sentence; None: the error's own sentence."""

    code: str
    status: int
    sentence: str | None = None


class Denial(msgspec.Struct, frozen=True):
    """
    An answer that denies.

    - ``headers``: names in lower case; with a content length, unless the request was HEAD.
    - ``body``: empty for HEAD.
    - ``code``: for the log and the audit trail.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    code: str
