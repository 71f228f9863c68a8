# SPDX-License-Identifier: Apache-2.0
"""
Action maps: what requests of a kind of service ask for, one package or module per kind (``gateway.asking.ActionMap``).
"""
