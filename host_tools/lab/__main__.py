# SPDX-License-Identifier: MIT
"""Run the lab's command line by itself."""

from host_tools.lab.commands.app import app

if __name__ == "__main__":
    app(prog_name="phonetrust lab")
