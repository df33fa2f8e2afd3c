"""How a small judge is made of a strong one's marks (OmniEdit, §3.2): frozen features (`features`), a scorer on top of
them (`scorer`), its training (`fit`), and the threshold that gives a wanted precision (`threshold`).
"""
