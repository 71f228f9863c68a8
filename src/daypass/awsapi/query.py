# SPDX-License-Identifier: Apache-2.0
"""
AWS's Query protocol (Smithy, "AWS Query protocol"): parameters from form names, answers and errors to XML.

    Tags.member.1.Key=team        -->  {"Tags": [{"Key": "team", ...}]}
    {"Account": "123456789012"}   -->  <GetCallerIdentityResponse ...><GetCallerIdentityResult><Account>...

The models say what there is; an operation's reader and writer are made when it is first used. A name that the model does
not have is refused, never ignored. Types: a string is str, an integer int, a boolean bool, a blob bytes, a timestamp
seconds since the epoch, a list list, a map and a structure dict. Constraints are for ``constraints``, names of operations
and versions for ``daypass.api``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from daypass.awsapi import query_reader, query_writer
from daypass.awsapi.model import Fault, OperationModel, ServiceModel

_reader = functools.cache(query_reader.operation_reader)
_writer = functools.cache(query_writer.operation_writer)


def parse_input(operation: OperationModel, form: Mapping[str, str]) -> dict[str, object]:
    """The operation's parameters, typed by its shapes. ``Action`` and ``Version`` are passed over.

    Raises RequestError: UNKNOWN_PARAMETER for a name that the operation does not have; MALFORMED_REQUEST for a list or
    map that is not numbered 1, 2, 3, ..., or a name that is both a value and a structure; DUPLICATE_PARAMETER for a map's
    key sent twice; INVALID_PARAMETER for a text that is not of its type. **It does not** check constraints, nor that
    required parameters are there: ``constraints.check`` does.
    """
    return _reader(operation)(form)


def serialize_result(operation: OperationModel, result: Mapping[str, object], request_id: str) -> bytes:
    """The answer's XML, in UTF-8. A member that is None is left out, an empty list is an empty element.

    Raises TypeError, our mistake and never the caller's, for a member that the model does not have, that has another
    type, or that the model requires and the result lacks. ``query_writer.OMITTED`` lacks one deliberately.
    """
    return _writer(operation)(result, request_id)


def serialize_error(service: ServiceModel, *, code: str, message: str, fault: Fault, request_id: str) -> bytes:
    """The error's XML, in UTF-8, in the service's namespace. Any code will do, modelled or not."""
    text = query_writer.escaped
    return query_writer.document(
        f'<ErrorResponse xmlns="{service.xml_namespace}"><Error><Type>{fault}</Type><Code>{text(code)}</Code>'
        f"<Message>{text(message)}</Message></Error><RequestId>{text(request_id)}</RequestId></ErrorResponse>"
    )
