# SPDX-License-Identifier: MIT
"""The demonstration as a picture for README: an SVG of its steps and of what the phone decided in each.

The picture comes from the console of a real run. What differs from run to run is left out (clocks, ports, serial
numbers, how long it took), so that the same software makes the same picture, whichever kind of phone ran.
"""

import io
import re
import textwrap

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

COLUMNS = 92
TITLE = "make run"

# Only fonts that the reader's machine has: a picture that loads one from elsewhere is blocked where README is read.
_FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

# Parts of a sentence that are only about this run, and the parts of a name behind its CN.
_OF_THIS_RUN = (
    (re.compile(r" \(serial [0-9a-f]+\)"), ""),
    (re.compile(r"(CN=[^,;]+)(?:[,;][A-Z]+=[^,; .]+)+"), r"\1"),
    (re.compile(r" (?:\d+\.){3}\d+:\d+"), ""),
)


class Picture:
    """Collects the lines of the picture; save() writes it."""

    def __init__(self):
        self._console = Console(
            file=io.StringIO(),
            record=True,
            width=COLUMNS,
            force_terminal=True,
            color_system="truecolor",
            highlight=False,
        )

    def step(self, number, heading):
        """A step of the demonstration begins."""
        if number > 1:
            self._console.print()
        for line in textwrap.wrap(f"{number}. {heading}", COLUMNS - 2):
            self._print(Text(line, "bold"), 0)

    def decision(self, subject, accepted, reason, sentence=""):
        """What the phone decided about the `subject`, and with a `sentence` why, in its own words."""
        verdict, colour = ("accepted", "green") if accepted else ("refused", "red")
        self._print(Text.assemble(f"{subject:<18}", (f"{verdict:<10}", colour), (reason, f"bold {colour}")), 3)
        for pattern, replacement in _OF_THIS_RUN:
            sentence = pattern.sub(replacement, sentence)
        self._print(Text(_once(sentence), "bright_black"), 6)

    def state(self, text):
        """The boot has ended: what the phone says of itself."""
        self._print(Text(f"{'phone':<18}{text}"), 3)

    def _print(self, text, indent):
        if text:
            self._console.print(Padding(text, (0, 2, 0, indent)))

    def save(self, path):
        """Write the SVG. OSError where that does not work."""
        text = self._console.export_svg(title=TITLE, code_format=_FRAME, unique_id="boot")
        path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n")


def _once(sentence):
    """The sentence with each of its parts said once: two servers that fail alike read the same without their ports."""
    parts = re.split(r"(?<=[.;]) ", sentence)
    kept = []
    for part in parts:
        if not kept or part.rstrip(".;") != kept[-1].rstrip(".;"):
            kept.append(part)
        else:
            kept[-1] = part
    return " ".join(kept)
