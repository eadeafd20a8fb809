# SPDX-License-Identifier: MIT
"""What runs on a PC around the phone: command line, lab cluster, demonstration, benchmarks, set-up, images."""
