"""The steps of a run, each a function over the run directory that does what is not yet done.

`mined` and `imagined` sort pages into assignments, `taught` makes and judges triplets, `learnt` trains the student.
What a step has finished is in its own folder of the run; a step that is called again finds it there. `settings` holds
what they can be told, light to import. To add a step, write its function here and a line in `pipeline`.
"""
