"""How a diffusion model edits: Prompt-to-Prompt, inversions, SDEdit, DiffEdit; pairs made by it, and pairs refined.

A library: specialists, pair makers and baselines are built of it. All of it works on the UNets of Stable Diffusion and
SDXL as diffusers has them.
"""
