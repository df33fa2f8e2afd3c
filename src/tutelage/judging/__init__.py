"""Judges over what is on disk. `tutelage judge` adds verdicts to a corpus, `tutelage fingerprint` writes what
duplicates and leaks are known by, `tutelage distill` makes a small judge of a strong one's marks, and
`tutelage bench judges` measures judges against the truth. `judges/` and `benches/` know neither each other nor a
corpus.
"""
