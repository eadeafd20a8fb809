# SPDX-License-Identifier: MIT
"""Everything that runs on a PC around the phone: command line, lab cluster, demonstration, benchmarks, set-up, images."""
