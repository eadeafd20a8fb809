# SPDX-License-Identifier: MIT
"""The table that `make bench` prints; it fits 100 columns."""

from rich.console import Console
from rich.table import Table

from host_tools.bench import releases

WIDTH = 100


def number(value):
    """Three significant digits without an exponent; a dash for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ordered(lines):
    """Lines by their row of the table; what has none comes last, in the order in which it was measured."""
    return sorted(lines, key=lambda line: (line.row is None, line.row or 0))


def verdict(line, before):
    """What is said of a line: whether its target holds, and how much worse it is than the last release."""
    words = {None: "", True: "holds", False: "MISSED"}[line.kept]
    if releases.is_worse(line, before):
        change = releases.change(line, before)
        return f"{words} worse {change:+.0%}" if change != float("inf") else f"{words} worse"
    return words


def make(lines, failures, before, version):
    """The Table. before: {name: number} of the last release, `version`."""
    table = Table(title="phonetrust benchmarks: medians, both sides in turn", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("what", overflow="fold", ratio=1)
    for column in ("ours", "other", "unit", "ratio", "target"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column(f"(since {version})" if version else "", max_width=11)
    for line in ordered(lines):
        said = verdict(line, before)
        style = "red" if "MISSED" in said else "yellow" if "worse" in said else None
        numbers = [number(line.ours), number(line.theirs), line.unit, number(line.ratio), number(line.limit)]
        table.add_row(str(line.row or ""), line.name, *numbers, said.strip(), style=style)
    for failure in failures:
        table.add_row("", f"{failure.subject}: could not be measured: {failure.why}", *["-"] * 5, "?", style="red")
    return table


def show(lines, failures, before, version, file=None):
    """Print the table."""
    console = Console(file=file)
    if not console.is_terminal or console.width > WIDTH:
        console = Console(file=file, width=WIDTH, no_color=None if console.is_terminal else True)
    console.print(make(lines, failures, before, version))
