"""Judges over what is on disk: `tutelage judge` adds verdicts to a corpus, `tutelage fingerprint` writes what
duplicates and leaks are known by.
"""
