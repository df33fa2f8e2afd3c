"""One page about a run, made for looking: what was found, what was drawn and kept of it, and how good the student is.

Read in this order: `page` (the way in), `found` (what a run directory holds), `sections`, `gallery` and `figures` (the
parts of the page), `charts`, `pictures`, `markup` and `look` (what they are made of), `again` (the command to repeat
the run). The page shows what is stored and stores nothing itself, so it can be made again at any stage of a run.
"""
