# SPDX-License-Identifier: Apache-2.0
"""
What every door does before it knows what is asked, whichever protocol it speaks (docs/adr/0010-the-browser-door.md).

    received         a request, whole and bounded, as raw bytes, with where and when it came from
    client_address   where that is: the socket's peer, or what a trusted proxy says
    limits           how much is read at most
    reports          the request id, and where a door says what it refused
"""
