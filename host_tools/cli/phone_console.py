# SPDX-License-Identifier: MIT
"""The console of a phone that runs on a PC: its log, with the words that matter in colour on a terminal."""

from rich.console import Console
from rich.text import Text

import hal.host

_STYLES = {"accepted": "green", "refused": "bold red", "warning": "yellow", "error": "red"}


class LogConsole(hal.host.Console):
    """The console part of a PC's HAL, writing to `stream`."""

    def __init__(self, stream):
        super().__init__(writer=stream)
        self._console = Console(file=stream, highlight=False, soft_wrap=True)

    def write(self, text):
        """Write lines. Colour only marks words; the text says everything."""
        shown = Text(text.rstrip("\n"))
        for word, style in _STYLES.items():
            shown.highlight_words([f" {word} "], style)
        with self._console.capture() as captured:
            self._console.print(shown)
        super().write(captured.get())
