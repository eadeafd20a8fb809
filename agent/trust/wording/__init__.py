# SPDX-License-Identifier: MIT
"""All sentences of decisions, one file a subject: judgements of lists, files and servers; steps; the vendor's words."""
