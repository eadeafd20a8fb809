# SPDX-License-Identifier: MIT
"""How the benchmarks measure: both sides in turn within one run, so that a busy machine slows both, and medians."""

import statistics
import time
from dataclasses import asdict, dataclass, field

#: Units of what does not depend on the machine: such numbers can be compared between releases as they are.
COUNTED = ("KB", "MB", "packets", "writes", "requests", "round trips")


@dataclass
class Line:
    """One comparison. `ours` and `theirs` are in `unit`; the limit holds for the ratio, or for `ours` where there is
    nothing to compare with. A line without a limit is for information. row: of the table of issue 16, None for others.
    note: how it is measured, and what the other side is. profile: [(part, in `unit`)], where the time of ours goes."""

    name: str
    ours: float
    unit: str
    theirs: float | None = None
    limit: float | None = None
    note: str = ""
    row: int | None = None
    profile: list = field(default_factory=list)

    @property
    def ratio(self):
        """ours / theirs, None without theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def kept(self):
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.limit

    @property
    def comparable(self):
        """The number that tells something on another machine, too: the ratio, or what is counted; else None."""
        return self.ratio if self.ratio is not None else self.ours if self.unit in COUNTED else None

    def as_dict(self):
        """For build/bench.json."""
        return {"kind": "line", **asdict(self), "ratio": self.ratio, "kept": self.kept}


@dataclass
class Curve:
    """How something grows: points [(x, y)], y per `y_unit` at x of `x_unit`. It is drawn; the lines judge it."""

    name: str
    x_unit: str
    y_unit: str
    points: list

    def as_dict(self):
        """For build/bench.json."""
        return {"kind": "curve", **asdict(self)}


@dataclass
class Failure:
    """A subject that could not be measured, and why."""

    subject: str
    why: str

    def as_dict(self):
        """For build/bench.json."""
        return {"kind": "failure", **asdict(self)}


def from_dict(values):
    """The Line, Curve or Failure of an as_dict()."""
    made = {"line": Line, "curve": Curve, "failure": Failure}[values["kind"]]
    names = made.__dataclass_fields__
    return made(**{name: value for name, value in values.items() if name in names})


def medians(sides, rounds, calls=1, clock=time.perf_counter):
    """Median seconds for one call of each of `sides`, which take turns: `rounds` times `calls` calls of each, after one
    round that does not count. clock: time.process_time where nothing but this process works."""
    taken = [[] for _ in sides]
    for turn in range(rounds + 1):
        for side, times in zip(sides, taken, strict=True):
            start = clock()
            for _ in range(calls):
                side()
            if turn:
                times.append((clock() - start) / calls)
    return [statistics.median(times) for times in taken]
