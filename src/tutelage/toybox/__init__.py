"""The built-in world: toys whose every attribute is known, and the checkpoints trained on them.

Read in this order: `scene` (what a picture shows, as data), `sampling` (random scenes), `anatomy` and `backdrop` (what
is drawn), `render` (how), `captions` (in words).
"""
