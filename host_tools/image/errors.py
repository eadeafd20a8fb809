# SPDX-License-Identifier: MIT
"""What may go wrong between a board's folder and its image; the text is for the person at the command line."""


class ImageError(Exception):
    """The image cannot be made or read: a mistake in a board's folder, a missing program, a failed download."""
