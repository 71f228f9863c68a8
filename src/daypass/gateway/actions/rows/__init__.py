# SPDX-License-Identifier: Apache-2.0
"""
The tables of named services, one module each: for every operation that is mapped, what it needs.

An operation without a row needs its action on ``*`` if AWS's reference has no resource type for the action, and is refused
otherwise.
"""
