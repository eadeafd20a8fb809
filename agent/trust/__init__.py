# SPDX-License-Identifier: MIT
"""The room that decides: rules, decisions, reasons and wording. It imports formats and errors, and never waits, stores or
talks to the network."""
