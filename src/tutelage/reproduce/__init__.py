"""The papers' claims in miniature: `tutelage reproduce table1 | table2 | table3 | figure6 | filter | copy-paste` for
SuTI, `tutelage reproduce edits` and its parts for OmniEdit.

Read in this order: `settings` (what an experiment is told), `experiments` and `tables` (what each of them compares and
claims), `students` (trained at equal budgets from a finished run), `measured` (answers, marks and cosines, subject by
subject), `claims` (what the intervals say), `paper` (the figures to set ours beside), `result` (JSON) and `page`.

Of editors the same are in `edit_settings`, `edits`, `edit_students` and `edit_measured`.

A claim *holds* if the whole interval of our figure is on its side of the limit, *does not hold* if all of it is on the
other, and else we *cannot tell*. Nothing else enters the verdict.
"""
