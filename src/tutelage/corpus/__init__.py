"""Triplets on disk, kept and rejected alike, with every picture, score, reason, URL and licence.

A corpus is a folder with three Lance tables. `writer.Committer` appends to them, one process at a time; `reader.Corpus`
reads them from any number of processes while they grow. Thresholds are applied on reading (`gate.Gate`); `lineage`
finds and removes what came from a URL; `exports` turns a corpus into the field's formats.

What is written in one commit goes in the order pictures, verdicts, triplets, and is read in the opposite order: whoever
sees a triplet finds everything that belongs to it, even if the writer was killed in between.
"""
