"""A topology's jar, built by Python alone: what a worker needs, and nothing else to install there."""

from stormcell.jar.building import Contents, Jar, build_jar, gather
from stormcell.jar.environment import Environment, PackedEnvironment
from stormcell.jar.fault import JarError

__all__ = ["Contents", "Environment", "Jar", "JarError", "PackedEnvironment", "build_jar", "gather"]
