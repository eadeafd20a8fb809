# SPDX-License-Identifier: MIT
"""Labs with a phone that serves other programs, for the tests of the trust service; keys of servers for those of the HAL."""

import pytest

from tests.helpers.servers import hal_identities
from tests.helpers.servers.service_lab import Lab
from tests.helpers.servers.service_phone import KINDS


@pytest.fixture(scope="module", params=KINDS)
def lab(request, tmp_path_factory):
    found = Lab(tmp_path_factory.mktemp("lab"), request.param)
    yield found
    found.close()


@pytest.fixture
def own_lab(request, tmp_path):
    """Like lab, for one test that changes the cluster or the phone."""
    found = Lab(tmp_path, request.param)
    yield found
    found.close()


@pytest.fixture(scope="session")
def identities(tmp_path_factory):
    return hal_identities.make_all(tmp_path_factory.mktemp("identities"))
