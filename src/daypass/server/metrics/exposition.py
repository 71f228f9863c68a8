# SPDX-License-Identifier: Apache-2.0
"""
What ``GET /metrics`` answers: the numbers of all workers together, in Prometheus's text format or OpenMetrics
(https://prometheus.io/docs/instrumenting/exposition_formats/), written by prometheus_client.

Counters and histograms are summed over the workers, those that have ended among them; what ages is taken from the living.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from daypass import __version__
from daypass.clock import Clock, system_clock
from daypass.errors import ConfigurationError, Reason
from daypass.server.metrics.cells import Reading, read_directory, read_memory
from daypass.server.metrics.families import BY_NAME, FAMILIES, FETCH_FAILURES, KEYS_FETCHED, Family
from daypass.server.metrics.recorder import Recorder
from daypass.server.metrics.standing import Standing, sealing_age

Key = tuple[str, tuple[str, ...]]

_WIDTHS: Final = {family.name: family.width for family in FAMILIES}
_OF_PROVIDERS: Final = frozenset({FETCH_FAILURES.name, KEYS_FETCHED.name})
_PROCESS: Final = frozenset({"process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds"})
_DIRECTORY: Final = "metrics"
_LOCK: Final = ".lock"


class Exposition(Collector):
    """
    Answers scrapes, from any thread, one at a time. ``readings`` reads every worker; ``workers`` are the ids of the processes
    that live, and ``expected`` is how many there should be.
    """

    def __init__(
        self,
        readings: Callable[[], Sequence[Reading]],
        workers: Callable[[], Sequence[int]] = lambda: (os.getpid(),),
        expected: int = 1,
        clock: Clock = system_clock,
    ) -> None:
        self._readings = readings
        self._workers = workers
        self._expected = expected
        self._clock = clock
        self._ended: dict[Key, list[float]] = {}
        self._ended_workers = 0
        self._lock = threading.Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def answer(self, accept: str) -> tuple[str, bytes]:
        """The content type and the body, for what an Accept header asks for; the plain format for one that cannot be read."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is none
            encode, content_type = choose_encoder("")
        with self._lock:
            return content_type, encode(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on what was counted."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, as prometheus_client takes it."""
        living = []
        for reading in self._readings():
            if reading.alive:
                living.append(reading)
            else:  # read for the last time: from now on its counts are kept here, so none goes backwards
                _add(self._ended, reading.numbers)
                self._ended_workers += 1
        standing = _newest([reading.standing for reading in living])
        totals = {key: list(numbers) for key, numbers in self._ended.items()}
        for reading in living:
            _add(totals, reading.numbers)
        registered = frozenset(standing.oidc)
        for family in FAMILIES:
            series = [(labels, numbers) for (name, labels), numbers in totals.items() if name == family.name]
            if family.name in _OF_PROVIDERS:
                series = [(labels, numbers) for labels, numbers in series if labels[0] in registered]
            yield self._metric(family, sorted(series))
        yield from self._aging(standing)
        yield from self._processes()

    def _metric(self, family: Family, series: Sequence[tuple[tuple[str, ...], list[float]]]) -> Metric:
        if family.kind == "histogram":
            histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
            names = [*map(str, family.bounds), "+Inf"]
            for labels, (total, *counts) in series:
                buckets: list[tuple[str, float]] = list(zip(names, accumulate(counts), strict=True))
                histogram.add_metric(labels, buckets, total)
            return histogram
        if family.kind == "instant":
            gauge, now = GaugeMetricFamily(family.name, family.help, labels=family.labels), self._clock()
            for labels, (at,) in series:
                gauge.add_metric(labels, max(now - at, 0.0))
            return gauge
        counter = CounterMetricFamily(family.name, family.help, labels=family.labels)
        for labels, (count,) in series:
            counter.add_metric(labels, count)
        return counter

    def _aging(self, standing: Standing) -> Iterator[Metric]:
        age = sealing_age(standing, self._clock)
        sealing = GaugeMetricFamily(
            "daypass_sealing_key_age_seconds", "Seconds for which the key has sealed that seals now."
        )
        if age is not None:
            sealing.add_metric((), age)
        certificates = GaugeMetricFamily(
            "daypass_saml_cert_expiry_timestamp_seconds",
            "When the last of a SAML provider's signing certificates ends.",
            labels=("provider",),
        )
        metadata = GaugeMetricFamily(
            "daypass_saml_metadata_expiry_timestamp_seconds",
            "When a SAML provider's metadata ends (validUntil).",
            labels=("provider",),
        )
        for ends in standing.saml:
            if ends.certificate is not None:
                certificates.add_metric((ends.provider,), ends.certificate)
            if ends.metadata is not None:
                metadata.add_metric((ends.provider,), ends.metadata)
        yield from (sealing, certificates, metadata)
        yield GaugeMetricFamily(
            "daypass_state_file_refused",
            "1 while the state file as it stands is refused, and what was applied before counts.",
            float(standing.state_refused),
        )

    def _processes(self) -> Iterator[Metric]:
        workers = self._workers()
        build = GaugeMetricFamily("daypass_build_info", "The version, in a label; always 1.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build
        yield GaugeMetricFamily("daypass_workers", "Workers that live.", len(workers))
        yield GaugeMetricFamily("daypass_workers_expected", "Workers that there should be.", self._expected)
        yield CounterMetricFamily(
            "daypass_workers_ended_total", "Workers that ended while the service went on.", self._ended_workers
        )
        yield from _process_metrics(workers)


def of_recorder(recorder: Recorder, clock: Clock = system_clock) -> Exposition:
    """What one process counts that is its own only worker."""
    return Exposition(lambda: (read_memory(recorder.cells, _WIDTHS),), clock=clock)


class MetricsDirectory:
    """
    Where several workers count: a new directory in ``metrics`` of the data directory. Those of processes that were killed are
    removed. Make it while no other process starts in the same data directory (``bootstrap.taking_turns``).
    """

    def __init__(self, data_dir: Path) -> None:
        """Raises ConfigurationError when it cannot be made."""
        home = data_dir / _DIRECTORY
        try:
            home.mkdir(mode=0o700, exist_ok=True)
            _remove_leftovers(home)
            self.path = Path(tempfile.mkdtemp(prefix="", dir=home))
            self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            message = f"cannot write in {str(home)!r}: {error.strerror}"
            raise ConfigurationError(Reason.CONFIGURATION_INVALID, message) from None

    def exposition(self, workers: Callable[[], Sequence[int]], expected: int) -> Exposition:
        """What the workers count that are handed this directory."""
        return Exposition(lambda: read_directory(self.path, _WIDTHS), workers, expected)

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_leftovers(home: Path) -> None:
    for directory in home.iterdir():
        try:
            lock = os.open(directory / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            lock = -1
        try:
            if lock >= 0:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # of a process that runs
        else:
            shutil.rmtree(directory, ignore_errors=True)
        finally:
            if lock >= 0:
                os.close(lock)


def _add(totals: dict[Key, list[float]], numbers: dict[Key, list[float]]) -> None:
    for key, found in numbers.items():
        known = totals.get(key)
        if known is None:
            totals[key] = found
        elif BY_NAME[key[0]].kind == "instant":
            totals[key] = [max(known[0], found[0])]
        else:
            totals[key] = [one + other for one, other in zip(known, found, strict=True)]


def _newest(said: Iterable[bytes]) -> Standing:
    """What the workers say of the store, together: one that has not looked for a moment knows no more than the others."""
    every = [msgspec.json.decode(one, type=Standing) for one in said if one]
    if not every:
        return Standing()
    oidc = dict.fromkeys(arn for one in every for arn in one.oidc)
    saml = {ends.provider: ends for one in every for ends in one.saml}
    sealing = dict.fromkeys(instant for one in every for instant in one.sealing_since)
    refused = any(one.state_refused for one in every)
    return Standing(tuple(sealing), tuple(oidc), tuple(saml[arn] for arn in sorted(saml)), refused)


def _process_metrics(workers: Iterable[int]) -> Iterator[Metric]:
    """
    Memory and open files of the started process and all workers together, and when it was started. Their processor time is not
    there: the sum would go backwards when a worker ends.
    """
    found: dict[str, Metric] = {}
    for pid in dict.fromkeys((os.getpid(), *workers)):
        for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            if metric.name in _PROCESS:
                known = found.get(metric.name)
                if known is None:
                    found[metric.name] = metric
                elif metric.name != "process_start_time_seconds":
                    value = known.samples[0].value + metric.samples[0].value
                    known.samples[0] = known.samples[0]._replace(value=value)
    yield from found.values()
