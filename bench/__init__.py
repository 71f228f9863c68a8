# SPDX-License-Identifier: Apache-2.0
"""
How fast daypass is, against two servers that set the scale (``make bench``; the figures are in docs/performance.md).

    bare      the same HTTP server with a handler that does the unavoidable and nothing else: parse the form, verify
              the one signature, answer the same bytes. What daypass adds to it is what daypass costs.
    moto      ``moto_server`` as it is shipped, doing the same calls without verifying anything.

    python -m bench                 requests per second, latency and CPU time of the three, interleaved
    python -m bench.stages          microseconds of each stage of the door, in process
    python -m bench.saml            SAML responses verified per second, beside python3-saml
    python -m bench.enforcement     the gateway and the questions of proxies, beside servers that check no more than they must
    python -m bench.two_writes      how many segments an answer takes (it must be one)

Measured on one machine: ratios travel, absolute figures do not. Nothing here is part of the package.
"""
