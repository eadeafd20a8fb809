# SPDX-License-Identifier: MIT
"""`phonetrust board run --sip`: one command to a booted board that has enrolled and registered."""

from tests.helpers.board.commands import phonetrust


def test_a_board_enrols_and_registers(tmp_path):
    arguments = ["--sip", "--cluster", tmp_path / "cluster", "--until", "200 OK", "--timeout", 200]
    done = phonetrust("board", "run", "qemu-virt", *arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    for step in ("capf accepted listed-in-ctl", "-- CAPF gave SEP00270DC01C92 a certificate", "lsc accepted installed"):
        assert step in done.stdout, done.stdout[-3000:]
    assert "registers with 10.0.2.2 port" in done.stdout and "by tls" in done.stdout
