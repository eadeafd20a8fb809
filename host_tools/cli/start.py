# SPDX-License-Identifier: MIT
"""Where the installed program starts: it imports nothing yet, so that Ctrl-C during the imports leaves no traceback either."""

from host_tools.cli import INTERRUPTED


def main():
    """Load the command line and run it."""
    try:
        from host_tools.cli.main import main as run

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
