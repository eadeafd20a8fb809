# SPDX-License-Identifier: MIT
"""The phones of a fleet by their state. The fleet is read twice: to count, and to write the phones that need a visit."""

import csv

from agent.errors import Refused
from agent.formats.text import SENTENCES_LIMIT, shown
from agent.trust.rules import Trust
from host_tools.plan.errors import PlanError
from host_tools.plan.fleet import AS_PUBLISHED, FleetError, rows
from host_tools.plan.paper import MOST_GROUPS
from host_tools.plan.run import Group

MOST_TOLD = 1000  # bad rows that are told one by one


class Fleet:
    """path: of the CSV file. lists: fleet.Lists. groups: [Group]. bad: [(line, text)] of rows that are left out, the first
    MOST_TOLD; bad_count: number of all. FleetError, PlanError."""

    def __init__(self, path, lists, world):
        self._path = path
        self._lists = lists
        self._world = world
        self._by_state = {}
        self.groups = []
        self.bad = []
        self.bad_count = 0
        for row in rows(path, self._bad):
            group = self._group(row)
            if group is not None:
                group.count += 1
        if not self.groups and not self.bad:
            raise FleetError("it has no phones")

    def _bad(self, line, text):
        self.bad_count += 1
        if len(self.bad) < MOST_TOLD:
            self.bad.append((line, text))

    def _group(self, row):
        state = (row.itl, row.ctl, row.servers, row.online, row.batch)
        found = self._by_state.get(state)
        if found is None:
            found = self._by_state[state] = self._new(row)
        if isinstance(found, str):
            self._bad(row.line, found)
            return None
        return found

    def _new(self, row):
        """A Group for the state of a row, or what is wrong with it."""
        if len(self.groups) >= MOST_GROUPS or len(self._by_state) >= 4 * MOST_GROUPS:
            raise PlanError(f"the fleet has more than {MOST_GROUPS} distinct states; fewer batches would help")
        try:
            contents = [self._list("itl", row.itl), self._list("ctl", row.ctl)]
        except ValueError as error:
            return str(error)
        group = Group(row.batch, row.online, self._world.first(*contents, row.servers), 0, row.device)
        self.groups.append(group)
        return group

    def _list(self, kind, text):
        if text == AS_PUBLISHED:
            return self._world.clusters[""].published_list(kind)
        content = self._lists.find(text)
        try:
            Trust(self._world.crypto, **{kind: content})
        except Refused as error:
            raise ValueError(f"no phone can hold the list {text}: {error}") from None
        return content

    def unknown_batches(self, steps):
        """Sentences about batches that steps name and no phone of the fleet is in."""
        known = {group.batch for group in self.groups}
        for number, step in enumerate(steps, 1):
            if step["batch"] not in (None, *known):
                yield f"step {number}: no phone of the fleet is in batch {step['batch']}"

    def write_visits(self, path, told):
        """Write the phones of the groups in `told` ({index of a group: why}) as a CSV file. Returns how many there are."""
        why = {id(self.groups[number]): text for number, text in told.items()}
        count = 0
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["device", "model", "batch", "online", "reason"])
            for row in rows(self._path, lambda line, text: None):
                group = self._by_state.get((row.itl, row.ctl, row.servers, row.online, row.batch))
                if id(group) in why:
                    count += 1
                    cells = [row.device, row.model, row.batch, "yes" if row.online else "no", why[id(group)]]
                    writer.writerow([_plain(cell) for cell in cells])
        return count


def _plain(cell):
    """The text made harmless: a spreadsheet does not take it for a formula, and a terminal shows it."""
    cell = shown(cell, SENTENCES_LIMIT)
    return "'" + cell if cell[:1] in tuple("=+-@|%") else cell
