"""What measures judges: triplets whose truth is known (`rendered`, `taught`), raters who know it imperfectly (`truth`),
and figures of how well scores tell right from wrong (`figures`).
"""
