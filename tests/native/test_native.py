# SPDX-License-Identifier: MIT
"""The C tests of libphonetrust as pytest items, in five variants; the fuzz targets, briefly; and the built libraries.

Each variant's program runs once with all tests; its output for a test is the result of that test. `make -C native test`,
`sanitize` and `fuzz` run the same without pytest.
"""

import os
import re
import shutil
import subprocess

import pytest

from tests.helpers.native.library import ROOT

HERE = ROOT / "tests" / "native"
VARIANTS = {
    "x86_64": ["{build}/x86_64/tests"],
    "valgrind": [
        "valgrind", "--quiet", "--error-exitcode=3", "--leak-check=full", "--show-leak-kinds=all",
        "{build}/x86_64/tests",
    ],
    "sanitize": ["{build}/sanitize/tests"],
    "aarch64": ["qemu-aarch64-static", "{build}/aarch64/tests"],
    "without_aes_instructions": ["qemu-x86_64-static", "-cpu", "qemu64", "{build}/x86_64/tests"],
}  # fmt: skip
C_TESTS = sorted(
    name for path in HERE.glob("test_*.c") for name in re.findall(r"^TEST\((\w+)\)", path.read_text(), re.M)
)
FUZZ_TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "5")
SIZE_LIMIT = 340 * 1024


def run(command, **more):
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", **more,
    )  # fmt: skip


@pytest.fixture(scope="session")
def variant_run(native_build):
    """variant -> (exit status, lines it printed), each run at most once."""
    runs = {}

    def once(variant):
        if variant not in runs:
            command = [part.format(build=native_build) for part in VARIANTS[variant]]
            done = run(
                [*command, str(native_build / "tests" / "vectors")], env={**os.environ, "QEMU_CPU": "cortex-a53"}
            )
            runs[variant] = (done.returncode, done.stdout.splitlines())
        return runs[variant]

    return once


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", C_TESTS)
def test_c(variant_run, name, variant):
    status, lines = variant_run(variant)
    said = [line for line in lines if line == f"ok {name}" or line.startswith(f"failed {name}:")]
    assert said == [f"ok {name}"], "\n".join(said or [f"ended with status {status} before it", *lines[-40:]])


@pytest.mark.parametrize("variant", VARIANTS)
def test_program_ends_well(variant_run, variant):
    """No leak, no error that a sanitizer or valgrind saw outside of a test, and no test that pytest does not know."""
    status, lines = variant_run(variant)
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert sorted(line.removeprefix("ok ") for line in lines) == C_TESTS
    assert status == 0


@pytest.mark.parametrize("target", FUZZ_TARGETS)
def test_fuzz(native_build, target):
    done = run(["make", "--no-print-directory", "-C", "native", f"fuzz-{target}", f"FUZZ_SECONDS={FUZZ_SECONDS}"])
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_library_exports_needs_and_size(native_build, architecture):
    library = native_build / architecture / "libphonetrust.so"
    done = run(["native/check-library.sh", str(library), str(SIZE_LIMIT)])
    assert done.returncode == 0, done.stdout


def test_library_check_finds_what_is_wrong(native_build, tmp_path):
    library = native_build / "x86_64" / "libphonetrust.so"
    done = run(["native/check-library.sh", str(library), "1000"])
    assert done.returncode == 1 and "more than 1000" in done.stdout
    other = tmp_path / "libother.so"
    source = "#include <math.h>\ndouble other(double x); double other(double x) { return cos(x); }"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(other), "-Wl,--no-as-needed", "-lm"],
        input=source, text=True, check=True,
    )  # fmt: skip
    done = run(["native/check-library.sh", str(other), str(SIZE_LIMIT)])
    assert done.returncode == 1
    for complaint in ("needs libc.so.6 libm.so.6", "exports other", "is not stripped"):
        assert complaint in done.stdout


def test_c_is_formatted():
    assert shutil.which("clang-format"), "clang-format is not installed"
    done = run(["make", "--no-print-directory", "-C", "native", "format-check"])
    assert done.returncode == 0, done.stdout
