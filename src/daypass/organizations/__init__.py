# SPDX-License-Identifier: Apache-2.0
"""
Accounts, and the organisation above them: what AWS Organizations does, without its wire (AWS Organizations API 2016-11-28).

    accounts -- make, close, reopen --> Account, Membership, root access key
    organization, units, attachments, policies -- change --> what ``daypass.access.organization`` reads for every decision

Functions of this room take a store and say what may not be; who may call them is for the doors above. The commands of
``daypass accounts`` are the first of these.
"""
