"""Benches of editors: pictures and instructions in, edited pictures out; `generators.editors` says who answers."""
