"""Subject-driven generation where the truth is known: what is asked (`questions`), how answers are marked (`examiner`),
and what is made of the marks (`figures`).
"""
