"""VIEScore: a multimodal model scores a picture against what was asked for (Ku et al. 2024).

SC, semantic consistency: does the picture do what it was asked to do? PQ, perceptual quality: is it a good picture,
whatever was asked? Each is the least of its sub-scores, whole numbers from 0 to 10, and O = √(SC · PQ).

Read in this order: `tasks` (the seven tasks, what each shows and asks), `items` (what is scored, what comes of it),
`rubric` (the words), `reply` (what a model said → scores, or why there are none), `scorer` (asks, at most three times),
`coverage` (means beside what is missing), `examples` (one-shot), `pretend` (a judge that needs no model, for trying).

A score is what a model said or it is missing, with the reason. No number is made up.
"""
