"""Foveal: a self-hosted, drop-in replacement for Azure AI Custom Vision."""

__version__ = "0.1.0"
