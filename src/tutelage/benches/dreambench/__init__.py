"""Subject-driven generation on photographs: DreamBench, our compositional prompts for it, and DreamBench++.

`items` is what is asked; `photographs`, `compositions` and `plus` read it. `look` compares pictures with photos and
texts, `protocols` and `figures` make figures of that, `rating` and `rated` the same of what a rater says. Who answers
is no business of this package; `generators` joins the two.
"""
