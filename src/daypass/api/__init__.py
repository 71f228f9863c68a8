# SPDX-License-Identifier: Apache-2.0
"""
The AWS door: STS and IAM by their Query protocol, over raw ASGI.

    receive --> parse --> authenticate --> authorize --> operate --> serialize

One pipeline (``door``), one table of operations (``operations``), one table of error codes (``wire_errors``). An operation
that is not in the table cannot be reached, and an entry cannot be made without an action and a resource.
"""

from daypass.api.door import AwsDoor
from daypass.api.operations import OperationTable, operation_table

__all__ = ["AwsDoor", "OperationTable", "operation_table"]
