# SPDX-License-Identifier: MIT
"""A plan's verdicts against what real phones of the host kind decide at served lab clusters, step by step, in their words.

PHONETRUST_PLANS is the number of random plans for each of nine kinds of cluster: `make plans` walks 23, which are 207."""

import contextlib
import os
import random

import pytest

from tests.helpers.lab.plan_walks import KINDS, WALKS, Walk, random_steps

SEED, PLANS = 15, int(os.environ.get("PHONETRUST_PLANS", "2"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", WALKS)
def test_real_phones_decide_what_the_plan_said(new_cluster, tmp_path, kind):
    rng = random.Random(f"{SEED} {kind}")
    for number in range(PLANS):
        options = KINDS.get(kind, {"kind": "classic"})
        texts = random_steps(rng, kind)
        walk = Walk(new_cluster, tmp_path / f"walk-{number}", options, {} if kind == "two" else None)
        with contextlib.closing(walk):
            walk.go(texts)
