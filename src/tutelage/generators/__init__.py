"""Who answers a bench's questions, and the benches themselves: `tutelage bench toybox`, and of photographs
`dreambench`, `dreambench_v2` and `dreambench_plus`.

A question is an assignment: a subject's captioned pictures and a prompt. To add who answers it, write a frozen,
keyword-only dataclass that fills `base.Generator` in a file of its own; to have it at the command line, name it in
`answering.BESIDE`. The contract tests find it there.
"""
