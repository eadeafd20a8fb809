# SPDX-License-Identifier: MIT
"""The room that decides: rules, decisions, reasons, wording. Imports formats and errors; never waits, stores or talks."""
