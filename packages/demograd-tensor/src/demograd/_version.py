"""The version of every demograd distribution."""

__version__ = "0.1.0"
