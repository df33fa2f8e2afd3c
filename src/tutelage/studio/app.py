"""The pages put together: a tab for each thing that people do."""

from pathlib import Path
from typing import Any, Final

import gradio as gr

from tutelage import __version__
from tutelage.report.markup import el, fragment
from tutelage.studio.artists import Artists
from tutelage.studio.corpus_tab import corpus_tab
from tutelage.studio.edit_tab import edit_tab
from tutelage.studio.editors import Editors
from tutelage.studio.generate_tab import generate_tab
from tutelage.studio.pictures import Pictures
from tutelage.studio.rate_tab import rate_tab
from tutelage.studio.runs_tab import runs_tab
from tutelage.studio.settings import Studio, named

TITLE: Final = "tutelage studio"


def blocks(studio: Studio, artists: Artists, pictures: Pictures) -> Any:
    """Gradio's blocks of a studio; tabs that need a run are there if one is."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as made:
        gr.HTML(_head(studio), elem_id="head", apply_default_css=False)
        with gr.Tabs():
            with gr.Tab("Generate", id="generate"):
                generate_tab(artists, pictures)
            with gr.Tab("Edit", id="edit"):
                edit_tab(Editors(artists), pictures)
            if studio.run is not None:
                with gr.Tab("Corpus", id="corpus"):
                    corpus_tab(studio, pictures)
                with gr.Tab("Rate", id="rate"):
                    rate_tab(studio.run, pictures)
            with gr.Tab("Runs", id="runs"):
                runs_tab(studio)
    return made


def _head(studio: Studio) -> str:
    about = [f"student {named(studio.student)}"]
    if studio.run is not None:
        about.insert(0, f"run {Path(studio.run).resolve().name}")
    return fragment(el("h1", TITLE), el("span", " · ".join([*about, f"version {__version__}"])))
