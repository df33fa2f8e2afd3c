"""Subject-driven generation on photographs: DreamBench, our compositional prompts for it, and DreamBench++.

`items` is what is asked; `photographs`, `compositions` and `plus` read it. `look` compares pictures with photos and
texts, `protocols` and `figures` make figures of that; `rating` is what raters are asked, `chat_rater` and `rated` are
raters, `marks` and `scales` make figures of what they say. Who answers is no business of this package; `generators`
joins the two.
"""
