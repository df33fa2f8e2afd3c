"""How the pages look, and the few lines of script that they need; light and dark, from a phone to a wide screen."""

from typing import Any, Final

import gradio as gr

STYLE: Final = """
.gradio-container { width: 100% !important; max-width: 92rem !important; margin: 0 auto !important }
.gradio-container > main, .gradio-container .wrap { width: 100% }
#head { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; padding: .5rem .2rem }
#head h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.03em }
.soft, #head span, figcaption, small { color: var(--body-text-color-subdued) }
.lead { margin: .2rem 0 .8rem; font-size: 1.05rem }
.empty { display: grid; place-items: center; min-height: 14rem; border: 1px dashed var(--border-color-primary);
         border-radius: 14px; color: var(--body-text-color-subdued); text-align: center }
h3 { margin: 0 0 .5rem; font-size: 1rem } h3 small { margin-left: .6rem; font-weight: 400 }
img { max-width: 100% }
figure { margin: 0; min-width: 0 } figure img { display: block; width: 100%; border-radius: 10px;
        background: var(--background-fill-secondary) }
figcaption { margin-top: .3rem; font-size: .82rem; line-height: 1.35; overflow-wrap: anywhere }
figcaption a, figcaption button { margin-right: .8rem; padding: 0; border: 0; background: none;
        color: var(--link-text-color); font: inherit; text-decoration: underline; cursor: pointer }
#head h1 { font-weight: 700 } .tiles.shown { grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr));
        gap: .5rem }
.rating .tiles.shown { margin-bottom: .8rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .9rem }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1.4rem }
.strip { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: .5rem; margin-bottom: .5rem }
.strip figure { position: relative } .strip img { aspect-ratio: 1; object-fit: cover }
.strip button { position: absolute; top: .2rem; right: .2rem; width: 1.5rem; height: 1.5rem; padding: 0; border: 0;
        border-radius: 99px; background: #0009; color: #fff; line-height: 1; cursor: pointer }
.drop { display: block; padding: .9rem; border: 1.5px dashed var(--border-color-accent); border-radius: 12px;
        text-align: center; cursor: pointer } .drop input { position: absolute; opacity: 0; width: 1px; height: 1px }
.drop.over, .drop:hover, .drop:focus-visible { background: var(--background-fill-secondary) }
.toys { display: grid; grid-auto-flow: column; grid-auto-columns: 3.4rem; gap: .4rem; overflow-x: auto; padding: 2px }
.toys button { padding: 0; border: 0; background: none; cursor: pointer; border-radius: 9px }
.toys img { display: block; border-radius: 9px } .toys button:hover, .toys button:focus-visible {
        outline: 2px solid var(--color-accent) }
.chip { margin: .15rem; padding: .2rem .7rem; border: 1px solid var(--border-color-primary); border-radius: 99px;
        background: var(--background-fill-primary); font-size: .85rem; cursor: pointer }
.chip:hover, .chip:focus-visible { border-color: var(--color-accent) }
.going { display: flex; gap: .8rem; align-items: center; margin-bottom: .7rem; font-variant-numeric: tabular-nums }
.meter { flex: 1; height: .45rem; overflow: hidden; border-radius: 9px; background: var(--background-fill-secondary) }
.meter i { display: block; height: 100%; border-radius: inherit; background: var(--color-accent) }
.meter.unsure i { width: 30%; animation: waiting .8s ease-in-out infinite alternate }
.waiting { aspect-ratio: 1; border-radius: 10px; background: var(--background-fill-secondary);
        animation: waiting 1.6s ease-in-out infinite alternate } @keyframes waiting { to { opacity: .45 } }
@media (prefers-reduced-motion: reduce) { .waiting { animation: none } }

.funnel { display: grid; gap: .35rem } .funnel div { display: grid; grid-template-columns: 10rem 1fr 9rem; gap: .8rem;
        align-items: center; font-variant-numeric: tabular-nums } .funnel i { display: block; height: .8rem;
        min-width: 2px; border-radius: 4px; background: var(--color-accent) }
.card { display: flex; flex-direction: column; align-self: start; width: 100%; padding: 0; border: 2px solid
        transparent; border-radius: 12px; background: none;
        text-align: left; cursor: pointer; font: inherit; color: inherit }
.card:hover, .card:focus-visible { border-color: var(--color-accent) }
.card > span, .card > small { display: block; padding: .15rem .3rem; font-size: .85rem; line-height: 1.3 }
.card img { display: block; width: 100%; border-radius: 10px } .badges .badge { margin-right: .3rem }
.badge { padding: .05rem .45rem; border-radius: 99px; font-size: .74rem; font-weight: 600; white-space: nowrap }
.badge.kept { background: #0f766e; color: #fff } .badge.rejected { background: #f6d9c3; color: #7a3a0a }
.badge.changes { background: #6d5bd0; color: #fff }
.detail { display: grid; grid-template-columns: minmax(12rem, 1fr) 2fr; gap: 1.4rem } .detail img { max-width: 24rem }
.detail h3 { margin-top: 1rem } .detail dl { display: grid; grid-template-columns: max-content minmax(0, 1fr);
        gap: .2rem .9rem; margin: .6rem 0 0 }
.detail dt { color: var(--body-text-color-subdued) } .detail dd { margin: 0; overflow-wrap: anywhere }
.scroll { overflow-x: auto } table.figures { width: 100%; border-collapse: collapse; font-size: .9rem;
        font-variant-numeric: tabular-nums }
.figures th, .figures td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--border-color-primary);
        text-align: left; vertical-align: top } .figures td small { display: block; white-space: nowrap }

.rating { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.1fr); gap: 1.5rem; align-items: start }
.rating .drawn img { max-height: 30rem; object-fit: contain; image-rendering: auto }
.aspect { display: grid; grid-template-columns: 1fr auto; gap: .5rem; align-items: center; margin: .45rem 0;
        padding: .6rem .8rem; border: 1.5px solid var(--border-color-primary); border-radius: 12px }
.aspect.now { border-color: var(--color-accent); background: var(--background-fill-secondary) }
.aspect small { display: block } .aspect button { min-width: 3rem; margin-left: .3rem; padding: .35rem .6rem;
        border: 1px solid var(--border-color-primary); border-radius: 9px; background: var(--background-fill-primary);
        color: inherit; cursor: pointer } .aspect button[aria-pressed=true] {
        background: var(--color-accent); border-color: var(--color-accent); color: #fff }
kbd { padding: 0 .35rem; border: 1px solid var(--border-color-primary); border-bottom-width: 2px; border-radius: 5px;
        font: .8rem ui-monospace, monospace }
.save { width: 100%; margin-top: .4rem; padding: .6rem; border: 0; border-radius: 10px; background:
        var(--color-accent);
        color: #fff; font: inherit; font-weight: 600; cursor: pointer } .save:disabled { opacity: .4; cursor:
        default }

.save + p { margin-top: .5rem }
.stages { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem }
.stages { margin-bottom: 1.4rem } .stages small { display: block }
.stages > div { padding: .8rem 1rem; border: 1px solid var(--border-color-primary); border-radius: 14px }
.stages b { display: block; font-size: 1.5rem; letter-spacing: -.02em } .stages .meter { margin: .4rem 0 }
a { color: var(--link-text-color) } .chart { padding: .6rem .4rem 1.7rem 3.2rem } .chart svg { display: block;
        width: 100%; height: 15rem;
        overflow: visible }
.chart svg svg { height: 100% } .chart text { fill: var(--body-text-color-subdued); font-size: 12px }
.chart .x { text-anchor: middle } .chart .y { text-anchor: end } .grid { stroke: var(--border-color-primary) }
.base { stroke: var(--body-text-color-subdued) } .raw, .smooth { fill: none; stroke: var(--color-accent);
        vector-effect: non-scaling-stroke } .raw { opacity: .4; stroke-width: 1 } .smooth { stroke-width: 2.5 }
.slider { position: relative; display: grid; margin-bottom: .5rem } .slider > img { grid-area: 1 / 1; width: 100%;
        height: 100%; border-radius: 12px }
.slider > img + img { clip-path: inset(0 0 0 var(--at, 50%)) } .slider input { grid-area: 1 / 1; width: 100%;
        height: 100%; margin: 0; opacity: 0; cursor: ew-resize } .slider::after { content: "";
        position: absolute; top: 0; bottom: 0; left: var(--at, 50%); width: 2px; background: #fff;
        box-shadow: 0 0 4px #000a; pointer-events: none }
.slider .end { position: absolute; bottom: .5rem; padding: .05rem .5rem; border-radius: 99px; background: #0008;
        color: #fff; font-size: .74rem; pointer-events: none } .end.before { left: .5rem } .end.after { right: .5rem }
.strip.one { grid-template-columns: minmax(0, 12rem) }
.slider:focus-within { outline: 2px solid var(--color-accent); border-radius: 12px }
@media (max-width: 48rem) {
  .rating, .detail { grid-template-columns: minmax(0, 1fr) } .rating .drawn img { max-height: 22rem }
  .funnel div { grid-template-columns: 5.5rem 1fr 7.4rem; font-size: .82rem } .tiles { grid-template-columns: 1fr 1fr }
  .studio-columns { flex-flow: column nowrap } .studio-columns > * { width: 100%; min-width: 0 !important }
  .tab-container button { padding-inline: .5rem !important }
}
"""

DROP: Final = """
const bring = async (files) => {
  const keys = [], faults = [];
  for (const file of files) {
    const where = 'bring?name=' + encodeURIComponent(file.name);
    const answer = await fetch(where, {method: 'POST', body: file}).catch(() => null);
    const told = answer ? await answer.json().catch(() => null) : null;
    if (told && told.key) keys.push(told.key); else faults.push(told ? told.fault : file.name + ' could not be sent');
  }
  trigger('brought', {keys, faults});
};
const over = (event, on) => { event.preventDefault(); element.querySelector('.drop')?.classList.toggle('over', on); };
element.addEventListener('dragover', (event) => over(event, true));
element.addEventListener('dragleave', (event) => over(event, false));
element.addEventListener('drop', (event) => { over(event, false); bring([...event.dataTransfer.files]); });
element.addEventListener('change', (event) => {
  if (event.target.type === 'file') { bring([...event.target.files]); event.target.value = ''; }
});
element.addEventListener('keydown', (event) => {
  if (event.target.matches('.drop') && (event.key === 'Enter' || event.key === ' ')) {
    event.preventDefault(); event.target.querySelector('input').click();
  }
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-remove]');
  if (button) trigger('removed', {key: button.dataset.remove});
});
"""
"""Brings files one by one, and says which were taken."""

PICK: Final = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-value]');
  if (button && element.contains(button)) trigger('picked', {value: button.dataset.value});
});
"""
"""Says which of the things inside was clicked."""


APPEAR: Final = """
const shown = () => element.textContent.trim() !== '';
watch('value', () => { if (shown()) element.scrollIntoView({behavior: 'smooth', block: 'nearest'}); });
"""
"""Comes into sight when it changes."""


def theme() -> Any:
    """Gradio's plain theme in the report's colours, with the fonts of the machine it is looked at on."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(body_text_color_subdued="*neutral_500", body_text_color_subdued_dark="*neutral_400")
