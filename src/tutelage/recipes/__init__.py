"""Runs by name. A recipe is a function that returns a frozen config whose `run()` does the work and can be resumed.

To add one, write the function in a module that imports nothing heavy and name it here.
"""

from typing import Final

RECIPES: Final[dict[str, str]] = {
    "suti": "tutelage.recipes.suti:suti",
    "suti-photos": "tutelage.recipes.suti:suti_photos",
    "dream-suti": "tutelage.recipes.suti:dream_suti",
    "re-imagen": "tutelage.recipes.suti:re_imagen",
    "copy-paste": "tutelage.recipes.suti:copy_paste",
    "omniedit": "tutelage.recipes.omniedit:omniedit",
    "omniedit-photos": "tutelage.recipes.omniedit:omniedit_photos",
    "omniedit-debug": "tutelage.recipes.omniedit:omniedit_debug",
    "refine": "tutelage.recipes.refine:refine",
    "refine-photos": "tutelage.recipes.refine:refine_photos",
    "demo": "tutelage.recipes.suti:demo",
    "debug": "tutelage.recipes.suti:debug",
    "instruct-pix2pix": "tutelage.recipes.edits:instruct_pix2pix",
    "prompt-to-prompt": "tutelage.recipes.edits:prompt_to_prompt",
    "cosxl-edit": "tutelage.recipes.edits:cosxl_edit",
    "concat-transformer": "tutelage.recipes.edits:concat_transformer",
    "controlnet": "tutelage.recipes.edits:controlnet",
    "editnet": "tutelage.recipes.edits:editnet",
    "edit-debug": "tutelage.recipes.edits:edit_debug",
    "toybox-vae": "tutelage.recipes.toybox:toybox_vae",
    "toybox-clip": "tutelage.recipes.toybox:toybox_clip",
    "toybox-clip-sharpen": "tutelage.recipes.toybox:toybox_clip_sharpen",
    "toybox-dino": "tutelage.recipes.toybox:toybox_dino",
    "toybox-sd": "tutelage.recipes.toybox:toybox_sd",
    "toybox-dit": "tutelage.recipes.toybox_dit:toybox_dit",
    "toybox-dit-sharpen": "tutelage.recipes.toybox_dit:toybox_dit_sharpen",
    "toybox-dit-debug": "tutelage.recipes.toybox_dit:toybox_dit_debug",
    "toybox-tagger": "tutelage.recipes.toybox_tagger:toybox_tagger",
    "toybox-brush-net": "tutelage.recipes.toybox_brush:toybox_brush_net",
    "toybox-brush-net-debug": "tutelage.recipes.toybox_brush:toybox_brush_net_debug",
    "toybox-seg": "tutelage.recipes.toybox:toybox_seg",
    "toybox-reader": "tutelage.recipes.toybox:toybox_reader",
    "toybox-debug": "tutelage.recipes.toybox:toybox_debug",
}
"""Recipe → "module:function"."""
