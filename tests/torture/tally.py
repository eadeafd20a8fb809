# SPDX-License-Identifier: MIT
"""Counts of what each kind of fault did to the phone, and the table of all kinds."""

import contextlib
import time

#: names of bad cases that are kept; the numbers are always whole
KEPT = 20
HEADINGS = ("kind of fault", "cases", "survived", "lost", "wrongly accepted", "longest")


class Effort:
    """How much is done. seconds: what a kind may take, about. seed: of what is drawn. short: for `make test`."""

    def __init__(self, seconds, seed=1, short=False):
        self.seconds = seconds
        self.seed = seed
        self.short = short


class Tally:
    """One line of the table. lost: the phone lost trust, a file, its memory or its patience. accepted: it believed what it must
    not. A case that did neither survived. note: what the numbers mean, for the line below the table."""

    def __init__(self, kind, note=""):
        self.kind = kind
        self.note = note
        self.survived = self.lost = self.accepted = 0
        self.longest = 0.0
        self.bad = []
        self.rows = []  # (heading, ...) of a table of its own, the headings first

    @property
    def cases(self):
        """How many there were."""
        return self.survived + self.lost + self.accepted

    @property
    def good(self):
        """Whether there were cases, and none was bad."""
        return self.cases > 0 and not self.lost and not self.accepted

    def survive(self, seconds=0.0, count=1):
        """So many cases ended as they must."""
        self.survived += count
        self.longest = max(self.longest, seconds)

    def lose(self, name, seconds=0.0):
        """A case cost the phone what it must keep."""
        self.lost += 1
        self._keep("lost", name, seconds)

    def accept(self, name, seconds=0.0):
        """The phone believed a case that it must refuse."""
        self.accepted += 1
        self._keep("wrongly accepted", name, seconds)

    def _keep(self, what, name, seconds):
        self.longest = max(self.longest, seconds)
        if len(self.bad) < KEPT:
            self.bad.append(f"{what}: {name}")

    def add(self, other):
        """What another Tally counted is a part of this one."""
        self.survived += other.survived
        self.lost += other.lost
        self.accepted += other.accepted
        self.longest = max(self.longest, other.longest)
        self.bad = (self.bad + other.bad)[:KEPT]

    @contextlib.contextmanager
    def case(self, name):
        """A case in a with block: an exception (an AssertionError too) is a loss, else it survived."""
        begun = time.monotonic()
        try:
            yield
        except Exception as error:
            self.lose(f"{name}: {type(error).__name__}: {error}"[:300], time.monotonic() - begun)
        else:
            self.survive(time.monotonic() - begun)

    def cells(self):
        """The line as text."""
        took = f"{self.longest * 1000:.1f} ms" if self.longest < 1 else f"{self.longest:.1f} s"
        return (self.kind, f"{self.cases:,}", f"{self.survived:,}", str(self.lost), str(self.accepted), took)


def table(rows):
    """A Markdown table; the first row is its head."""
    head, *lines = rows
    written = [" | ".join(map(str, row)) for row in [head, ["---"] * len(head), *lines]]
    return "\n".join(f"| {row} |" for row in written)


def report(tallies):
    """The table of all kinds, and below it what each counted."""
    text = table([HEADINGS, *(tally.cells() for tally in tallies)])
    notes = "\n".join(f"- **{tally.kind}**: {tally.note}" for tally in tallies if tally.note)
    more = "\n\n".join(f"{tally.kind}:\n\n{table(tally.rows)}" for tally in tallies if tally.rows)
    return "\n\n".join(part for part in (text, notes, more) if part) + "\n"
