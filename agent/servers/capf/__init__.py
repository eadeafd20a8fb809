# SPDX-License-Identifier: MIT
"""Enrolment with CAPF: its messages, the proof of the phone's key, one session, and the client that connects."""
