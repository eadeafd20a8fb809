# SPDX-License-Identifier: MIT
"""Every row of the truth tables, four ways: both cryptos on CPython, MicroPython for arm64, `phonetrust preflight`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.agent.rows import decide, differences, read_rows, row_name

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = ROOT / "tests"
ROWS = read_rows()
every_row = pytest.mark.parametrize("number", range(len(ROWS)), ids=[row_name(row) for row in ROWS])


@pytest.fixture(scope="module", params=["cryptography", "native"])
def library(request):
    """CPython's crypto part, by `cryptography` and by libphonetrust."""
    from hal.host import crypto

    made = crypto(request.param)
    assert made.name == {"cryptography": "cryptography", "native": "libphonetrust"}[request.param]
    return made


@every_row
def test_cpython(number, library):
    found = decide(ROWS[number], library)
    assert not differences(ROWS[number], found), found


ARCHITECTURES = [
    name for name in ("aarch64", "x86_64") if name == "aarch64" or (ROOT / "build/micropython" / name).is_dir()
]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def micropython_results(request):
    """What MicroPython decided, row by row."""
    command = [str(ROOT / "host_tools/setup/micropython"), request.param, str(ROOT / "tests/helpers/agent/rows.py")]
    environment = {**os.environ, "MICROPYPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@every_row
def test_micropython(number, micropython_results):
    assert len(micropython_results) == len(ROWS)
    found = micropython_results[number]
    assert not differences(ROWS[number], found), found


@every_row
def test_preflight(number, tmp_path):
    row = ROWS[number]
    vectors = TESTS / row["set"]
    command = [str(Path(sys.executable).parent / "phonetrust"), "preflight", str(vectors / row["candidate"])]
    command += ["--as", row["kind"], "--json"]
    for option in ("installed_itl", "installed_ctl"):
        if row[option]:
            command += ["--" + option.replace("_", "-"), str(vectors / row[option])]
    if isinstance(row["tvs"], dict):
        for certificate in row["tvs"]:
            shutil.copy(vectors / certificate, tmp_path)
        (tmp_path / "roles.json").write_text(json.dumps(row["tvs"]))
        command += ["--tvs-store", str(tmp_path)]
    elif row["tvs"]:
        command += ["--tvs", row["tvs"]]
    for setting in ("policy", "replay"):
        if setting in row:
            command += ["--" + setting, row[setting]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == (0 if row["outcome"] == "accepted" else 1), done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert not differences(row, found), found
    assert found["text"], "a decision needs its sentence for the administrator"
