# SPDX-License-Identifier: MIT
"""Each procedure of docs/procedures.md as a plan: a real phone at served clusters decides what the plan said."""

import contextlib
import re
from pathlib import Path

import pytest

from tests.helpers.lab.plan_procedures import OUTSIDE, PROCEDURES
from tests.helpers.lab.plan_walks import Walk

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "procedures.md"


def test_every_procedure_is_a_plan_or_says_why_not():
    told = set(re.findall(r"^### (.+)$", DOCUMENT.read_text(), re.MULTILINE))
    assert told == {*PROCEDURES, *OUTSIDE}


@pytest.mark.parametrize("title", PROCEDURES)
def test_a_real_phone_decides_what_the_plan_of_the_procedure_said(new_cluster, tmp_path, title):
    options, steps, more = PROCEDURES[title]
    with contextlib.closing(Walk(new_cluster, tmp_path / "walk", options, **{"phones": 1, **more})) as walk:
        assert walk.go(list(steps)), "no phone restarted"
