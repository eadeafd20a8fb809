# SPDX-License-Identifier: MIT
"""The phone's own list of what it supports has the words of the cluster's feature list."""

from agent.local.status import SUPPORTS
from host_tools.lab.writers.models import FEATURES, supports


def test_the_phone_and_its_model_in_the_table_support_the_same():
    assert [feature for feature in FEATURES if supports("8861", feature)] == list(SUPPORTS)
