# SPDX-License-Identifier: MIT
"""Enrolment: CAPF's messages, the proof of the phone's key, and one session."""
