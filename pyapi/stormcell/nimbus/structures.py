"""The structures and the service of storm.thrift, as Python classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import thriftpy2

structures: Any = thriftpy2.load(str(Path(__file__).with_name("storm.thrift")), module_name="storm_thrift")
"""A class for each structure, with its fields as keyword arguments and attributes."""
