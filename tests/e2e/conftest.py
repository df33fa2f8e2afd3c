"""Fixtures of small networks that find masks."""

from tiny_grounded import tiny_detector, tiny_sam

__all__ = ["tiny_detector", "tiny_sam"]
