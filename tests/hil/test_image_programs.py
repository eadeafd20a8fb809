# SPDX-License-Identifier: MIT
"""`phonetrust image build --program`: which files come into the image, and which programs are refused and why."""

import json

import pytest

from host_tools.image import board as boards
from host_tools.image import contents, fit, packages, phone_programs
from host_tools.image.errors import ImageError

BOARD = boards.load("rpi3")
LIBRARIES = "usr/lib/aarch64-linux-gnu"
OWN = {f"{LIBRARIES}/libphonetrust-client.so", f"{LIBRARIES}/libphonetrust-pkcs11.so"}
IN_THE_IMAGE = {"libc.so.6", "ld-linux-aarch64.so.1"}


def collected(*words):
    return phone_programs.collect([str(word) for word in words], BOARD, boards.TOP, IN_THE_IMAGE, lambda text: None)


def entries(*words):
    return collected(*words).entries


@pytest.fixture
def hello(tmp_path):
    """A folder with a `start` and another file."""
    folder = tmp_path / "hello"
    (folder / "data").mkdir(parents=True)
    (folder / "start").write_text("#!/bin/sh\necho hello\n")
    (folder / "start").chmod(0o755)
    (folder / "data" / "text").write_text("words")
    (folder / "link").symlink_to("data/text")
    return folder


def test_a_folder_goes_as_it_is(hello):
    found = entries(hello)
    assert set(found) == {"programs/hello/start", "programs/hello/data/text", "programs/hello/link", *OWN}
    assert found["programs/hello/start"].mode & 0o111 and not found["programs/hello/data/text"].mode & 0o111
    assert found["programs/hello/link"].content == b"data/text"


def test_no_program_brings_nothing():
    assert entries() == {}


def test_packages_of_a_folder_bring_the_files_that_it_names_and_their_libraries(hello):
    (hello / "packages").write_text("# a word on it\nbaresip-core usr/bin/baresip usr/lib/baresip/modules/g7*.so\n\n")
    found = entries(hello)
    modules = {name for name in found if "/modules/" in name}
    assert "usr/bin/baresip" in found and modules >= {"usr/lib/baresip/modules/g711.so"}
    assert all("/g7" in name for name in modules)
    assert f"{LIBRARIES}/libre.so.1" in found and f"{LIBRARIES}/libssl.so.3" in found
    assert f"{LIBRARIES}/libc.so.6" not in found, "the image has it"
    assert "programs/hello/packages" not in found and not [name for name in found if name.startswith("usr/share")]


def test_a_package_is_started_by_its_one_program():
    found = entries("baresip-core")
    assert found["programs/baresip-core/start"].content == b"#!/bin/sh\nexec /usr/bin/baresip\n"
    assert f"{LIBRARIES}/libre.so.1" in found


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "start").unlink(), "has no executable `start`"),
        (lambda folder: (folder / "start").chmod(0o644), "has no executable `start`"),
        (lambda folder: (folder / "packages").write_text("Über\n"), "line 1: 'Über' is no package's name"),
        (lambda folder: (folder / "packages").write_text("\nbaresip-core usr/bin/x\n"), "has no file usr/bin/x"),
        (lambda folder: (folder / "packages").write_text("no-such-package-here\n"), "no-such-package-here"),
    ],
)
def test_folders_that_are_refused(hello, spoil, why):
    spoil(hello)
    with pytest.raises(ImageError) as caught:
        entries(hello)
    assert why in str(caught.value)


def test_words_that_are_neither_folder_nor_package(tmp_path):
    for word, why in (("No Such", "neither a folder nor the name of a package"), (tmp_path / "none", "is no folder")):
        with pytest.raises(ImageError) as caught:
            entries(word)
        assert why in str(caught.value)


def test_a_package_with_several_programs_needs_a_start():
    with pytest.raises(ImageError) as caught:
        entries("p11-kit")
    assert "it must have one program, and it has p11-kit, trust; make a folder" in str(caught.value)


def test_the_list_of_contents_names_what_programs_bring(hello):
    """The package, the libraries' packages with it, and the folder; each with version and licence."""
    (hello / "packages").write_text("baresip-core usr/bin/baresip usr/lib/baresip/modules/g711.so\n")
    others = collected(hello)
    unpacked = packages.unpack(BOARD.packages, boards.TOP / "build", lambda text: None)
    facts = fit.Facts("phonetrust-rpi3-0.2.0", "rpi3", "0.2.0", "0.2.0+x", packages.kernel_version(unpacked), 0)
    found = json.loads(contents.document(BOARD, boards.TOP, unpacked, facts, others))
    listed = {package["name"]: package for package in found["packages"]}
    assert {"baresip-core", "libre1", "libssl3t64", "micropython", "programs/hello"} <= set(listed), sorted(listed)
    for name in others.packages:
        assert listed[name]["versionInfo"][0].isdigit() and listed[name]["licenseDeclared"] != "NOASSERTION", name
    assert "BSD-3-Clause" in listed["baresip-core"]["licenseDeclared"]
    assert listed["programs/hello"]["versionInfo"].startswith("SHA-256 ")
    identifiers = [package["SPDXID"] for package in found["packages"]]
    assert len(set(identifiers)) == len(identifiers)
