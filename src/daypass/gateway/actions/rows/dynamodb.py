# SPDX-License-Identifier: Apache-2.0
"""DynamoDB and DynamoDB Streams (Service Authorization Reference, "Amazon DynamoDB"; DynamoDB API Reference)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from daypass.gateway.actions.partiql import read_statement
from daypass.gateway.actions.rules import MAX_ITEMS, Asked, Resources, Rule, invalid, name_or_arn, named, on, own_arn
from daypass.gateway.asking import Needed
from daypass.identity import ContextValue

_NAME: Final = "[A-Za-z0-9_.-]{1,255}"
_LABEL: Final = "[A-Za-z0-9_.:-]{1,255}"
TABLE: Final = Resources("table/{}", re.compile(_NAME, re.ASCII))
_INDEX_NAME: Final = re.compile(_NAME, re.ASCII)
_TABLE = name_or_arn("TableName", TABLE)
_TABLE_OR_STREAM = own_arn("ResourceArn", f"table/{_NAME}", f"table/{_NAME}/stream/{_LABEL}")
_STREAM = own_arn("StreamArn", f"table/{_NAME}/stream/{_LABEL}")


def _table_or_index(asked: Asked) -> Sequence[str]:
    table = TABLE.of_name_or_arn(asked, asked.text("TableName"), "TableName")
    return (_with_index(table, asked.text("IndexName")),) if asked.has("IndexName") else (table,)


def _with_index(table: str, index: str) -> str:
    if _INDEX_NAME.fullmatch(index) is None:
        raise invalid("IndexName", "a name as the service has them")
    return f"{table}/index/{index}"


def _global_table(asked: Asked) -> Sequence[str]:
    name = asked.text("GlobalTableName")
    TABLE.of_name(asked, name, "GlobalTableName")
    return (f"arn:aws:dynamodb::{asked.account}:global-table/{name}",)


def _requested_tables(asked: Asked) -> Sequence[str]:
    """The tables of a batch: the names of a map."""
    batch = asked.parameters.get("RequestItems")
    if not isinstance(batch, dict) or not 0 < len(batch) <= MAX_ITEMS:
        raise invalid("RequestItems", f"a map of 1 to {MAX_ITEMS} tables")
    return [TABLE.of_name_or_arn(asked, table, "RequestItems") for table in batch]


_TRANSACTED: Final[Mapping[str, str]] = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _transaction(asked: Asked) -> Sequence[Needed]:
    """Every item is an operation of its own, told apart by the key EnclosingOperation (Developer Guide, "Transactions")."""
    shape = "TransactWriteItem" if asked.operation == "TransactWriteItems" else "TransactGetItem"
    keys: Mapping[str, ContextValue] = {"dynamodb:enclosingoperation": asked.operation}
    needed = []
    for item in asked.items("TransactItems"):
        inner = asked.structure(item, shape, "TransactItems")
        if len(inner) != 1:
            raise invalid("TransactItems", "a list of items with one operation each")
        ((kind, value),) = inner.items()
        table = asked.structure(value, kind, "TransactItems").get("TableName")
        if not isinstance(table, str):
            raise invalid("TransactItems", "a list of operations that name a table each")
        arn = TABLE.of_name_or_arn(asked, table, "TransactItems")
        needed.append(Needed(f"dynamodb:{_TRANSACTED[kind]}", arn, keys))
    return needed


def _statement(asked: Asked) -> Sequence[Needed]:
    return (_of_statement(asked, asked.text("Statement")),)


def _statements(parameter: str, shape: str) -> Rule:
    def rule(asked: Asked) -> Sequence[Needed]:
        return [
            _of_statement(asked, asked.structure(item, shape, parameter).get("Statement"))
            for item in asked.items(parameter)
        ]

    return rule


def _of_statement(asked: Asked, statement: Any) -> Needed:
    if not isinstance(statement, str):
        raise invalid("Statement", "a text")
    target = read_statement(statement)
    arn = TABLE.of_name(asked, target.table, "Statement")
    return Needed(f"dynamodb:{target.action}", arn if target.index is None else _with_index(arn, target.index))


_WITH_MORE: Final = ("ResourcePolicy", "GlobalTableSourceArn")
_REPLICAS: Final = ("ReplicaUpdates", "GlobalTableWitnessUpdates")

ROWS: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "DescribeTable", "DeleteTable", "CreateBackup"),
            *("DescribeContinuousBackups", "UpdateContinuousBackups", "DescribeTimeToLive", "UpdateTimeToLive"),
            *("DescribeKinesisStreamingDestination", "DescribeTableReplicaAutoScaling"),
        ),
        on(_TABLE),
    ),
    **dict.fromkeys(
        ("Query", "Scan", "SearchVectors", "DescribeContributorInsights", "UpdateContributorInsights"),
        on(_table_or_index),
    ),
    "CreateTable": on(_TABLE, tagging="TagResource", refused=_WITH_MORE),
    "UpdateTable": on(_TABLE, refused=_REPLICAS),
    **dict.fromkeys(("BatchGetItem", "BatchWriteItem"), on(_requested_tables)),
    **dict.fromkeys(("TransactGetItems", "TransactWriteItems"), _transaction),
    "ExecuteStatement": _statement,
    "BatchExecuteStatement": _statements("Statements", "BatchStatementRequest"),
    "ExecuteTransaction": _statements("TransactStatements", "ParameterizedStatement"),
    **dict.fromkeys(
        (
            *("TagResource", "UntagResource", "ListTagsOfResource"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
        ),
        on(_TABLE_OR_STREAM),
    ),
    **dict.fromkeys(("DescribeBackup", "DeleteBackup"), on(own_arn("BackupArn", f"table/{_NAME}/backup/{_LABEL}"))),
    "DescribeExport": on(own_arn("ExportArn", f"table/{_NAME}/export/{_LABEL}")),
    "DescribeImport": on(own_arn("ImportArn", f"table/{_NAME}/import/{_LABEL}")),
    **dict.fromkeys(("DescribeGlobalTable", "DescribeGlobalTableSettings"), on(_global_table)),
    **dict.fromkeys(
        ("CreateGlobalTable", "UpdateGlobalTable"),
        on(_global_table, named("GlobalTableName", TABLE)),
    ),
    **dict.fromkeys(("DescribeStream", "GetShardIterator"), on(_STREAM)),
}
