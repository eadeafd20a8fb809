# SPDX-License-Identifier: MIT
"""Which features each model of phone has: the table models.json, {model: [features]}, to which you may add lines.

A line has what the maker says of a model with current firmware. Of a model without a line nothing is known, except by what
its phones ask for (model/features.py).
"""

import functools
import json
from pathlib import Path

TABLE = Path(__file__).with_name("models.json")
FEATURES = {
    "security-by-default": "takes ITLs and signed configuration",
    "tvs": "asks TVS",
    "encrypted-configuration": "takes encrypted configuration",
    "https": "fetches its configuration by HTTPS",
    "ec": "knows EC certificates",
    "sha512": "knows SHA-512 signatures",
    "loads": "verifies signed loads",
}


@functools.cache
def table(path=TABLE):
    """{model: set of FEATURES}."""
    return {model: set(features) for model, features in json.loads(path.read_text()).items()}


def supports(model, feature):
    """True or False as the table says, None where the table does not have the model."""
    known = table().get(model)
    return None if known is None else feature in known
