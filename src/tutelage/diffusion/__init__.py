"""What all networks share: load a folder or Hub id, key the noise, encode, look, sample.

`load` turns a folder into a pipeline, `sample` turns prompts and seeds into pictures, `words` knows which words of a
prompt a model has never seen, `device` picks where and how precisely to compute. For training, `pictures` decodes
files, `latents` and `text` encode what a UNet learns from, `noise` says what it should predict. `vision` loads networks
that look at pictures, `features` asks them for embeddings.
"""
