"""The version: read by the build, the manifest of an export and `funasr --version`."""

__version__ = "0.1.0"
