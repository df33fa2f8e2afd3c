"""Metrics of pictures: how far two are apart (pixels, LPIPS, structure), and how close pictures and words are (CLIP).

A picture is `Planes`: float32 (3, H, W) in [0, 1], see `pixels.planes`. Each metric equals that of the package people
publish figures with, to rounding; the tests compare them.
"""
