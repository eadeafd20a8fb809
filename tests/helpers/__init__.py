# SPDX-License-Identifier: MIT
"""What tests share; never a test itself."""
