# SPDX-License-Identifier: Apache-2.0
"""
Audit records: what happened, in the shape of CloudTrail's records (docs/audit.md).

    Event, as a door notes it -- record_of --> Record -- JSON --> a line of the trail (daypass.doorway.audit_trail)

- ``event``      what a door notes: who, what, what came of it
- ``admission``  what of a request and its answer may be recorded
- ``record``     the record

Pure. Where records are kept is ``daypass.store.audit_trail``'s.
"""

from daypass.audit.admission import MAX_TEXT, admitted, credentials_answer, names_to_record, recorded_answer
from daypass.audit.event import UNSIGNED_REGION, Decision, Event, Proven, Told, Who, nobody_told, pack, unpack
from daypass.audit.record import Record, record_of

__all__ = [
    "MAX_TEXT",
    "UNSIGNED_REGION",
    "Decision",
    "Event",
    "Proven",
    "Record",
    "Told",
    "Who",
    "admitted",
    "credentials_answer",
    "names_to_record",
    "nobody_told",
    "pack",
    "record_of",
    "recorded_answer",
    "unpack",
]
