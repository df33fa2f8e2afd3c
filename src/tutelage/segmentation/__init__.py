"""Masks by phrase: where a picture shows what a phrase names.

There are two kinds of segmenter: the toybox's, whose network knows the parts of a toy, and any detector with an open
vocabulary (Grounding DINO) with a segmenter that takes boxes (SAM). `base.Segmenter` is the protocol, `masks.Masks` the
settings of either, and of what is done to a mask before it is used.
"""
