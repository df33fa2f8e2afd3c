"""What all generators share: load a folder or Hub id, key the noise, sample.

`load` turns a folder into a pipeline, `sample` turns prompts and seeds into pictures, `words` knows which words of a
prompt a model has never seen, `device` picks where and how precisely to compute.
"""
