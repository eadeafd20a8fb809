# SPDX-License-Identifier: MIT
"""Each procedure of the guide as documented, without each of its steps, and with each two steps swapped.

Before each step the lab forecasts the phone's decisions, word for word. The results are in docs/procedures.md.
"""

import pytest

from tests.helpers.lab import document
from tests.helpers.lab.guide_plays import PLAYS
from tests.helpers.lab.plays import run

VARIATIONS = [(play, name) for play in PLAYS for name in play.variations()]


@pytest.mark.parametrize("play, name", VARIATIONS, ids=[f"{play.title}: {name}" for play, name in VARIATIONS])
def test_what_comes_of_it_is_foretold(play, name, procedure):
    document.note_row(play, name, run(play, play.variations()[name], procedure))


def test_each_play_is_in_the_document():
    text = document.FILE.read_text()
    assert all(f"### {play.title}\n" in text for play in PLAYS)
    assert len({play.title for play in PLAYS}) == len(PLAYS)
