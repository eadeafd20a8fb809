# SPDX-License-Identifier: MIT
"""`make bench`: all benchmarks, as a table and as build/bench.json. Exit status 1 where a limit is exceeded."""

import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
SUBJECTS = ("trust_list", "startup", "tftp", "tls", "tvs", "signatures", "update", "plan", "size")


def number(value):
    """Three significant digits without an exponent; a dash for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(lines):
    """Print the table."""
    table = Table(title="phonetrust benchmarks (medians, both sides in turn)")
    table.add_column("what", overflow="fold")
    for column in ("ours", "theirs", "unit", "ratio", "limit"):
        table.add_column(column, justify="right")
    table.add_column("")
    for line in lines:
        verdict = {None: "", True: "[green]kept[/]", False: "[red]exceeded[/]"}[line.kept]
        name = f"{line.name}\n[dim]{line.note}[/]" if line.note else line.name
        numbers = [number(line.ours), number(line.theirs), line.unit, number(line.ratio), number(line.limit)]
        table.add_row(name, *numbers, verdict)
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    console.print(table)


def main(arguments):
    """Run the named subjects, all of them without names."""
    unknown = [name for name in arguments if name not in SUBJECTS]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are: {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    lines = []
    for name in arguments or SUBJECTS:
        print(f"measuring {name} ...", file=sys.stderr)
        lines.extend(importlib.import_module(f"host_tools.bench.{name}").lines())
    show(lines)
    report = ROOT / "build" / "bench.json"
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps([line.as_dict() for line in lines], indent=2) + "\n")
    exceeded = [line.name for line in lines if line.kept is False]
    if exceeded:
        print(f"over the limit: {', '.join(exceeded)}", file=sys.stderr)
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
