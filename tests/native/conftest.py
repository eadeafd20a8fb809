# SPDX-License-Identifier: MIT
"""Builds the library and its test programs once a session."""

import subprocess

import pytest

from tests.native.library import ROOT, Library


@pytest.fixture(scope="session")
def native_build():
    """Both libraries, the C tests in their variants and the fuzz targets, by native/Makefile."""
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", "native", "-j2", "all", "programs"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"make -C native all programs:\n{done.stdout}"
    return ROOT / "build" / "native"


@pytest.fixture(scope="session")
def library(native_build):
    return Library()
