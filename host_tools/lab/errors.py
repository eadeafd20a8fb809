# SPDX-License-Identifier: MIT
"""The lab's one error for people."""


class LabError(Exception):
    """The lab cannot do this; the text is one sentence for the person who asked."""
