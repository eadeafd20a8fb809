# SPDX-License-Identifier: MIT
"""What is wrong with a plan."""


class PlanError(Exception):
    """The plan cannot be read or carried out; the text names the step and says why."""
