# SPDX-License-Identifier: Apache-2.0
"""
Metrics for Prometheus (docs/metrics.md): counted by the workers in memory that the started process can read, and served by it.

    doors, federation -- Recorder --> Cells, one block of numbers a worker --> Exposition --> GET /metrics
    the store's view -- StandingWatch --> Standing, what ages and expires --^

    families     the table of what is counted, with its labels and bounds
    cells        the block of numbers: in memory, or in a file that two processes map
    recorder     what the rooms call
    standing     keys and registrations that age or expire
    exposition   the numbers of all workers together, as prometheus_client writes them

Counting with prometheus_client's own counters costs a request 3 microseconds in one process and 8 in several
(docs/metrics.md, "What it costs"); adding to a cell costs less than one in both, and loses nothing when a worker is killed.
"""

from daypass.server.metrics.exposition import Exposition, MetricsDirectory, of_recorder
from daypass.server.metrics.recorder import Recorder
from daypass.server.metrics.standing import StandingWatch

__all__ = ["Exposition", "MetricsDirectory", "Recorder", "StandingWatch", "of_recorder"]
