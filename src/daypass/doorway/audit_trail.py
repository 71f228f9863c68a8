# SPDX-License-Identifier: Apache-2.0
"""
The audit trail of a process: doors note events, and blocks of records are written to the store (docs/audit.md).

    AuditTrail.note --> memory -- a slice at a time --> JSON, deflated -- within seconds --> Transaction.append_audit_block

A note costs the request one append. Nobody waits for a record to be written: what was noted in the last seconds before a
process is killed is lost, and an operation is never refused because its record cannot be written (docs/adr/0012).
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from daypass.access import Caller
from daypass.audit import UNSIGNED_REGION, Decision, Event, Proven, Who, record_of
from daypass.clock import iso8601
from daypass.errors import DaypassError
from daypass.randomness import public_random_bytes
from daypass.store import Store
from daypass.store.audit_trail import Block, Keep
from daypass.store.late_notes import LateNotes

FLUSH_SECONDS: Final = 2.0
"""From the first note to the writing of all that came meanwhile: how late the trail is, and what a killed process loses."""

RECORDS_IN_A_BLOCK: Final = 4096
"""So many notes are not kept waiting for longer; some 300 KB, deflated."""

RECORDS_AT_ONCE: Final = 64
"""Records are made from so many notes between two requests: a millisecond."""

TEXT_AT_ONCE: Final = 16_384
"""Characters of those that requests brought, after which a slice ends: text that nothing compresses takes most of its time."""

MOST_WAITING: Final = 20_000
"""
Notes that may wait while the database cannot be written; one with a long decision or much text counts for several. Some 40 MB.
"""

UNPROVEN: Final = 1000
"""
Requests that showed nothing (no signature, no proof that verifies) that are recorded one by one at once; and what more than
that is counted. Else whoever can reach the door could push everything else out of the trail.
"""

UNPROVEN_A_SECOND: Final = 10
"""How many of them are recorded in the long run: some 100 MB in a day, and 600 MB where all of it is noise."""

UNPROVEN_TEXT: Final = 256
"""Characters of such a request for which it counts as one, and as one more for each as many again; and of each text of it."""

UNPROVEN_PARAMETERS: Final = 512
"""Characters of all its parameters: the ARNs that it names. The rest is left out, for whoever sent it has chosen all of it."""

SOURCE: Final = "audit.daypass"
"""``eventSource`` of what the trail says of itself."""

_encoder: Final = msgspec.json.Encoder(enc_hook=str)


class AuditTrail(LateNotes):
    """Notes what the doors did, and writes it down."""

    def __init__(self, store: Store, failed: Callable[[Exception], None], keep: Keep | None = None) -> None:
        super().__init__(FLUSH_SECONDS, failed)
        self._store = store
        self._keep = keep or Keep()
        self._waiting: list[Event] = []
        self._weight = 0
        self._made: Block | None = None
        self._left_out = LeftOut()
        self._unproven = Allowance(UNPROVEN, UNPROVEN_A_SECOND)
        self._strangers = Allowance(UNPROVEN, UNPROVEN_A_SECOND)
        self._one_at_a_time = asyncio.Lock()
        self.dropped = 0
        """Events that this process could not record, since it started: for health checks and metrics."""
        self.write_failures = 0
        """How often writing failed, since it started. What was not written waits, or is among the dropped."""

    @property
    def waiting(self) -> int:
        """Events that are not written yet."""
        return len(self._waiting) + (0 if self._made is None else self._made.records)

    def note(self, event: Event) -> None:
        """This happened. Within a running event loop; never waits or raises."""
        size = _size(event)
        if event.who is None and size > UNPROVEN_TEXT:
            event = _shortened(event)
            size = _size(event)
        weight = _weight(event, size)
        if self._weight + weight > MOST_WAITING:
            self._drop(event)
        elif not self._is_allowed(event, weight + size // UNPROVEN_TEXT):
            self._left_out.add(event)
        else:
            self._weight += weight
            self._waiting.append(event)
        self._soon(early=len(self._waiting) >= RECORDS_IN_A_BLOCK)

    def _is_allowed(self, event: Event, many: int) -> bool:
        """
        Whether it is recorded by itself, however many there are. A public issuer vouches for anybody: who brings its proof and
        is refused has an allowance too, but one that nobody without a proof uses up.
        """
        if event.who is None:
            return self._unproven.take(event.at, many)
        if event.reason is not None and isinstance(event.who, Proven):
            return self._strangers.take(event.at, many)
        return True

    def _drop(self, event: Event) -> None:
        self.dropped += 1
        self._left_out.add(event, dropped=True)

    async def flush(self) -> None:
        """
        Write every note that waits, now. Raises UnavailableError when the database cannot be written; what was not written
        waits on. So does what is noted meanwhile: under load it would be a transaction for every few notes, without an end.
        """
        async with self._one_at_a_time:
            due = len(self._waiting) or int(bool(self._left_out))
            while self._made is not None or due > 0:
                again = self._made is not None
                if self._made is None:
                    due -= RECORDS_IN_A_BLOCK
                    self._made = await self._next_block()
                async with self._store.transaction() as transaction:
                    await transaction.append_audit_block(self._made, self._keep, again=again)
                self._made = None

    async def _next_block(self) -> Block:
        batch = self._waiting[:RECORDS_IN_A_BLOCK]
        del self._waiting[: len(batch)]
        self._weight -= sum([_weight(event, _size(event)) for event in batch])
        left_out, self._left_out = self._left_out, LeftOut()
        batch += left_out.events()
        maker = BlockMaker()
        for some in slices(batch):
            for event in maker.add(some):
                self._drop(event)
            await asyncio.sleep(0)
        return maker.block(batch)

    def _is_waiting(self) -> bool:
        return bool(self._waiting or self._made is not None or self._left_out)

    def _not_written(self) -> None:
        self.write_failures += 1

    def _give_up(self) -> None:
        self.write_failures += 1
        if self._made is not None:
            self.dropped += self._made.records
            self._left_out.lost(self._made)
            self._made = None


def _weight(event: Event, size: int) -> int:
    """
    How much of MOST_WAITING it takes: one, and one for each KiB of the decision and of other text (``size``); a decision that
    is to be made is taken for 4.
    """
    if event.decision is None:
        return 1 + (size >> 10)
    return 1 + (size >> 10) + (len(event.decision) >> 10 if isinstance(event.decision, bytes) else 4)


def _size(event: Event) -> int:
    """Characters of what a request brought into its record, about."""
    size = len(event.name) + len(event.user_agent or "") + len(event.message or "")
    if event.parameters:
        size += sum(map(_length, event.parameters.values()))
    return size + sum(map(len, event.resources)) if event.resources else size


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else len(str(value))


def _shortened(event: Event) -> Event:
    """What is recorded of a request that showed nothing: see ``UNPROVEN_TEXT`` and ``UNPROVEN_PARAMETERS``."""
    left, kept = UNPROVEN_PARAMETERS, {}
    for name, value in (event.parameters or {}).items():
        length = _length(value)
        if length <= left:
            kept[name] = value
            left -= length
    return msgspec.structs.replace(
        event,
        name=event.name[:UNPROVEN_TEXT],
        user_agent=None if event.user_agent is None else event.user_agent[:UNPROVEN_TEXT],
        message=None if event.message is None else event.message[:UNPROVEN_TEXT],
        parameters=kept or None,
    )


def slices(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Events in their order, no more at once than take some milliseconds: a decision that is yet to be made is the last."""
    some: list[Event] = []
    text = 0
    for event in events:
        some.append(event)
        text += _size(event)
        if len(some) == RECORDS_AT_ONCE or text >= TEXT_AT_ONCE or callable(event.decision):
            yield some
            some, text = [], 0
    if some:
        yield some


class BlockMaker:
    """Makes records from events, and a block from records."""

    def __init__(self) -> None:
        digits = public_random_bytes(10).hex()
        self._prefix = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-"
        self._packer = zlib.compressobj(1)
        self._parts: list[bytes] = []
        self.records = 0

    def add(self, events: Sequence[Event]) -> list[Event]:
        """Make records. Returns the events that cannot become one."""
        try:
            self._write(events)
        except Exception:  # noqa: BLE001 - one event that is wrong must not take the others with it
            wrong = []
            for event in events:
                try:
                    self._write((event,))
                except Exception:  # noqa: BLE001 - as above
                    wrong.append(event)
            return wrong
        return []

    def _write(self, events: Sequence[Event]) -> None:
        prefix, number = self._prefix, self.records
        records = [record_of(event, f"{prefix}{index:012x}") for index, event in enumerate(events, number)]
        text = _encoder.encode_lines(records)
        self._parts.append(self._packer.compress(text))
        self.records += len(records)

    def block(self, events: Sequence[Event]) -> Block:
        """The block of all that was added, which were these events."""
        instants = [event.at for event in events]
        self._parts.append(self._packer.flush())
        return Block(int(min(instants)), int(max(instants)), self.records, b"".join(self._parts))


class Allowance:
    """So many at once, and so many a second in the long run."""

    def __init__(self, at_once: int, a_second: float) -> None:
        self._at_once = at_once
        self._a_second = a_second
        self._left = float(at_once)
        self._since = 0.0

    def take(self, now: float, many: int = 1) -> bool:
        """Whether there are so many left at this instant; then there are so many less."""
        self._left = min(self._at_once, self._left + max(0.0, now - self._since) * self._a_second)
        self._since = now
        if self._left < many:
            return False
        self._left -= many
        return True


class LeftOut:
    """What is not recorded one by one: how many there were, of which reasons, from when to when."""

    def __init__(self) -> None:
        self._dropped = 0
        self._unproven: Counter[str] = Counter()
        self._begun = self._ended = 0.0

    def __bool__(self) -> bool:
        return bool(self._dropped or self._unproven)

    def add(self, event: Event, *, dropped: bool = False) -> None:
        """One more: ``dropped`` because it could not be kept, or else of a request that has shown nothing."""
        self._ended = max(self._ended, event.at) if self else event.at
        self._begun = min(self._begun, event.at) if self else event.at
        if dropped:
            self._dropped += 1
        else:
            self._unproven["none" if event.reason is None else event.reason.value] += 1

    def lost(self, block: Block) -> None:
        """A whole block that could not be written."""
        self._ended = max(self._ended, block.ended_at) if self else block.ended_at
        self._begun = min(self._begun, block.begun_at) if self else block.begun_at
        self._dropped += block.records

    def events(self) -> list[Event]:
        """What the trail says of it."""
        between = {"first": iso8601(self._begun), "last": iso8601(self._ended)}
        said: list[Event] = []
        if self._dropped:
            said.append(_own("EventsNotRecorded", self._ended, {"events": self._dropped, **between}))
        if self._unproven:
            count = {"events": self._unproven.total(), "reasons": dict(self._unproven), **between}
            said.append(_own("RefusalsCounted", self._ended, count))
        return said


def _own(name: str, at: float, data: dict[str, Any]) -> Event:
    return Event(at, SOURCE, name, "", read_only=False, data=data, kind="AwsServiceEvent")


def who_is(caller: Caller) -> Who:
    """The caller, as a record names it."""
    session = caller.session
    mfa = caller.mfa_at is not None
    if session is None:
        return Who(caller.principal, caller.access_key_id, mfa=mfa)
    own = session.provider_arn is not None
    return Who(
        caller.principal,
        caller.access_key_id,
        session.issued_at,
        mfa or session.mfa_at is not None,
        session.source_identity,
        session.provider_arn if own else session.origin_provider,
        session.subject if own else session.origin_subject,
        session.chain,
    )


class Noted:
    """
    What becomes known of a request while it is answered, for its record; one is made for each request. ``name``: what was asked
    for, where that is no operation; ``who``: None until somebody is identified; the rest as ``Event`` has it.
    """

    __slots__ = ("answer", "decision", "name", "parameters", "region", "resources", "who")

    def __init__(self) -> None:
        self.name = ""
        self.who: Who | Proven | None = None
        self.region = UNSIGNED_REGION
        self.parameters: Mapping[str, Any] | None = None
        self.answer: Mapping[str, Any] | None = None
        self.decision: Decision | None = None
        self.resources: tuple[str, ...] = ()

    def told(self, proven: Proven) -> None:
        """A proof was verified (``daypass.audit.Told``)."""
        self.who = proven


ENCODED: Final = ". Encoded authorization failure message: "
"""What stands between a denial's sentence and the sealed message about it, which is in no record: the decision is."""


def plain_message(error: DaypassError) -> str:
    """What the caller was told, in a sentence."""
    return str(error).partition(ENCODED)[0]
