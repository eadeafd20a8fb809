# SPDX-License-Identifier: MIT
"""The one error of the lab that a person may meet."""


class LabError(Exception):
    """What was asked of the lab cannot be done; the text is one sentence for the person who asked."""
