# SPDX-License-Identifier: MIT
"""How the benchmarks measure: both sides in turn within one run, so that a busy machine slows both, and medians."""

import statistics
import time
from dataclasses import asdict, dataclass


@dataclass
class Line:
    """One comparison. `ours` and `theirs` are in `unit`; the limit holds for the ratio, or for `ours` where there is
    nothing to compare with. A line without a limit is for information."""

    name: str
    ours: float
    unit: str
    theirs: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def ratio(self):
        """ours / theirs, None without theirs."""
        return None if self.theirs is None else self.ours / self.theirs

    @property
    def kept(self):
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.limit

    def as_dict(self):
        """For build/bench.json."""
        return {**asdict(self), "ratio": self.ratio, "kept": self.kept}


def medians(sides, rounds, calls=1):
    """Median seconds for one call of each of `sides`, which take turns: `rounds` times `calls` calls of each, after one
    round that does not count."""
    taken = [[] for _ in sides]
    for turn in range(rounds + 1):
        for side, times in zip(sides, taken, strict=True):
            start = time.perf_counter()
            for _ in range(calls):
                side()
            if turn:
                times.append((time.perf_counter() - start) / calls)
    return [statistics.median(times) for times in taken]
