"""Layouts that sets of edits come in: what is on disk, as rows. Benches ask from them, corpora are read and written."""
