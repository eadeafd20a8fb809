# SPDX-License-Identifier: MIT
"""Fixtures for tests that need lab clusters."""

import itertools

import pytest

from host_tools.lab.cluster import Cluster
from tests.scenarios.key_pool import PooledKeys

MAC = "00270DC01C92"


@pytest.fixture
def new_cluster(tmp_path):
    """make(nodes=..., mixed=..., signer=...) -> a Cluster in a folder of its own, keys from the pool, one phone."""
    numbers = itertools.count(1)

    def make(phone=MAC, **options):
        cluster = Cluster.create(tmp_path / f"cluster-{next(numbers)}", key_maker=PooledKeys(), **options)
        if phone:
            cluster.add_phone(phone)
        return cluster

    return make


@pytest.fixture
def cluster(new_cluster):
    """A nonsecure cluster of one node with one phone."""
    return new_cluster()
