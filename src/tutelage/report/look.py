"""How the page looks: light and dark, from a phone to a wide screen, with nothing from outside."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #24232b; --soft: #676472; --paper: #f8f6f1; --card: #fffefb; --line: #e4dfd5;
        --wash: #f1ede5; --good: #0f766e; --bad: #a4581c; --badwash: #f6e3d3 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #edecf2; --soft: #a5a3b1; --paper: #151519; --card: #1e1e24; --line: #33333d; --wash: #292930;
          --good: #58c4b8; --bad: #e2a06a; --badwash: #46321f }
}
* { box-sizing: border-box }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100% }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", sans-serif;
       font-variant-numeric: tabular-nums; overflow-wrap: break-word }
main { max-width: 80rem; margin: 0 auto; padding: clamp(1.75rem, 5vw, 4rem) clamp(1rem, 3vw, 2.5rem) 5rem }
h1 { margin: 0; font-size: clamp(2.2rem, 6vw, 3.6rem); line-height: 1.1; letter-spacing: -.035em; font-weight: 700 }
h2 { margin: 0 0 .35rem; font-size: clamp(1.45rem, 3vw, 1.9rem); line-height: 1.2; letter-spacing: -.02em }
h3 { margin: 0 0 .9rem; font-size: 1.06rem; letter-spacing: -.005em }
h3 small { margin-left: .6rem }
small, .facts, .axis { color: var(--soft); font-size: .84rem; font-weight: 400 }
section { margin-top: clamp(3rem, 7vw, 5rem); scroll-margin-top: 3.5rem }
section > p { max-width: 46rem; margin: 0 0 1.5rem; color: var(--soft) }
.kicker { margin: 0 0 .5rem; color: var(--good); font-size: .78rem; font-weight: 600; letter-spacing: .12em;
          text-transform: uppercase }
.lead { max-width: 50rem; margin: 1.1rem 0 .8rem; font-size: clamp(1.08rem, 2.2vw, 1.3rem); line-height: 1.5 }
.facts { margin: .25rem 0 0 }
.panel, article, .totals > div { background: var(--card); border: 1px solid var(--line); border-radius: 16px }
.panel, article { margin: 0 0 1.25rem; padding: clamp(1rem, 2.5vw, 1.6rem) }
.panel > p:not(.facts, .axis) { max-width: 46rem; margin: -.4rem 0 1rem; color: var(--soft); font-size: .92rem }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .9rem;
          margin: 2rem 0 1.25rem }
.totals > div { max-width: 20rem; padding: 1rem 1.15rem }
.totals b { display: block; font-size: 1.9rem; line-height: 1.15; letter-spacing: -.03em }
.totals span, .totals small { display: block; font-size: .86rem }
nav { position: sticky; top: 0; z-index: 1; display: flex; gap: .4rem; margin: 1.5rem -.5rem 0; padding: .6rem .5rem;
      overflow-x: auto; background: var(--paper); border-bottom: 1px solid var(--line); scrollbar-width: none }
nav a { flex: none; padding: .25rem .75rem; border-radius: 99px; color: var(--soft); font-size: .88rem;
        text-decoration: none }
nav a:hover, nav a:focus-visible { background: var(--wash); color: var(--ink) }
:focus-visible { outline: 2px solid var(--good); outline-offset: 2px }

img { display: block; width: 100%; height: auto; border-radius: 9px; background: var(--wash) }
img.coarse { image-rendering: pixelated }
figure { margin: 0; min-width: 0 }
.absent { display: grid; place-items: center; aspect-ratio: 1; border: 1px dashed var(--line); border-radius: 9px;
          color: var(--soft); font-size: .78rem; text-align: center }
.row { display: grid; grid-template-columns: 12.5rem minmax(0, 1fr); gap: 1.75rem; align-items: start }
.shown { position: sticky; top: 4rem }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .4rem; margin-bottom: .5rem }
.pictures img { aspect-ratio: 1; object-fit: contain }
.strip { display: grid; align-items: center; gap: .6rem; margin: 2rem 0 0;
         grid-template-columns: repeat(8, minmax(0, 1fr)) }
.heads, .answer { display: grid; gap: .6rem; align-items: center;
                  grid-template-columns: minmax(8.5rem, 1.5fr) repeat(var(--columns), minmax(0, 1fr)) }
.heads { align-items: end; margin-bottom: .5rem; color: var(--soft); font-size: .8rem; line-height: 1.25;
         text-align: center }
.answer + .answer { margin-top: .6rem }
.answer p { margin: 0; padding-right: .5rem; font-size: .92rem; line-height: 1.4 }
.answer figure { max-width: 11rem }
.answer figcaption { display: none }
.skill { display: block; color: var(--soft); font-size: .76rem; letter-spacing: .02em }
.edit { display: grid; gap: .6rem; align-items: center;
        grid-template-columns: minmax(0, 1fr) minmax(8rem, 1.2fr) repeat(var(--columns), minmax(0, 1fr)) }
.edit + .edit { margin-top: .7rem }
.edit p { margin: 0; padding: 0 .5rem; font-size: .92rem; line-height: 1.4 }
.edit figcaption { display: none }
.pairs.targets { grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)) }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; align-items: center }
.targets { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1.1rem .9rem }
.targets figcaption { margin-top: .5rem; font-size: .84rem; line-height: 1.4 }
.targets small { display: block; margin-top: .15rem; font-size: .76rem }
.targets .out img { outline: 2px dashed var(--bad); outline-offset: -2px }
.verdict { display: flex; flex-wrap: wrap; gap: .15rem .5rem; align-items: baseline; margin-bottom: .2rem }
.badge { padding: .05rem .45rem; border-radius: 99px; font-size: .76rem; font-weight: 600 }
.badge.kept { background: var(--good); color: var(--card) }
.badge.rejected { background: var(--badwash); color: var(--bad) }
.score { font-size: .8rem; font-weight: 600 }

.scroll { overflow-x: auto }
.scroll tbody th { position: sticky; left: 0; background: var(--paper) }
.panel .scroll tbody th { background: var(--card) }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: .5rem 3rem;
          align-items: start }
.split { display: grid; gap: 1rem 2.5rem; align-items: start }
@media (min-width: 64rem) {
  .split { grid-template-columns: minmax(0, 1.8fr) minmax(0, 1fr) }
  .split .chart svg { height: 23rem }
}
.split caption { padding-top: .6rem }
table { width: 100%; border-collapse: collapse; font-size: .92rem }
caption { padding: 1.1rem 0 .4rem; font-weight: 600; text-align: left }
th, td { padding: .42rem .9rem .42rem 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top }
th:last-child, td:last-child { padding-right: 0 }
th:first-child { text-align: left; font-weight: 500 }
thead th { border-bottom-color: var(--soft); color: var(--soft); font-size: .8rem; font-weight: 500;
           vertical-align: bottom }
tr.apart > * { border-top: 2px solid var(--soft); border-bottom: 0 }
.settings td { text-align: left; overflow-wrap: anywhere }
.shared { display: inline-flex; gap: .5rem; align-items: center; justify-content: flex-end; white-space: nowrap }
.shared > :last-child { min-width: 3.9rem }
.share { flex: none; width: clamp(2.5rem, 8vw, 5rem); height: .45rem; overflow: hidden; border-radius: 9px;
         background: var(--wash) }
.share i, .bar i { display: block; height: 100%; background: var(--good); border-radius: inherit }
.bars td, .bars th { padding: .38rem 0; border: 0; vertical-align: middle }
.bars th { padding-right: 1rem; font-weight: 400; white-space: nowrap }
.bar { width: 100% }
.bar i { min-width: 2px; height: 1.15rem; border-radius: 4px }
.bars .value { padding-left: 1rem; text-align: left; white-space: nowrap }
.value small { margin-left: .6rem }
.figure { display: block; min-width: 6rem }
.figure b { font-weight: 600 }
.figure small { display: block; font-size: .76rem; white-space: nowrap }
.whisker { display: block; width: 100%; height: 10px; margin-top: .15rem; overflow: visible; fill: var(--good) }
.track { stroke: var(--line); stroke-width: 2 }
.interval { stroke: var(--good); stroke-width: 4; stroke-linecap: round; opacity: .45 }
details { margin-top: .75rem }
summary { display: inline-block; padding: .35rem .9rem; border: 1px solid var(--line); border-radius: 99px;
          background: var(--card); font-size: .9rem; cursor: pointer }
summary:hover { background: var(--wash) }
details[open] > summary { margin-bottom: 1rem }
pre { margin: 0 0 1rem; padding: 1rem 1.2rem; overflow-x: auto; background: var(--card);
      border: 1px solid var(--line); border-radius: 12px }
code { font: .88rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace }

.chart { padding: .6rem .4rem 1.7rem 3.2rem }
.chart svg { display: block; width: 100%; height: clamp(11rem, 26vw, 17rem); overflow: visible }
.chart svg svg { height: 100% }
.chart text { fill: var(--soft); font-size: 12px }
.chart .x { text-anchor: middle }
.chart .y { text-anchor: end }
.grid { stroke: var(--line) }
.base { stroke: var(--soft) }
rect.kept { fill: var(--good) }
rect.rejected { fill: var(--badwash); stroke: var(--bad) }
.limit line { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 5 4 }
.chart .limit text { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px }
.raw, .smooth { fill: none; stroke: var(--good); vector-effect: non-scaling-stroke; stroke-linecap: round;
                stroke-linejoin: round }
.raw { opacity: .45; stroke-width: 1 }
.smooth { stroke-width: 2.5 }
.series-0, .series-0 line, .series-0 circle { stroke: var(--good); fill: none }
.series-1, .series-1 line, .series-1 circle { stroke: var(--bad); fill: none }
.series-2, .series-2 line, .series-2 circle { stroke: var(--soft); fill: none }
path.series-0, path.series-1, path.series-2 { stroke-width: 2.5; vector-effect: non-scaling-stroke }
.series-0 circle { fill: var(--good) }
.series-1 circle { fill: var(--bad) }
.series-2 circle { fill: var(--soft) }
.chart g text { stroke: none }
.chart .series-name { fill: var(--ink); font-weight: 600 }
.axis { margin: 0 0 .4rem; text-align: center }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .88rem }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border: 1px solid var(--good);
          border-radius: 3px; background: var(--good) }
.swatch.rejected { border-color: var(--bad); background: var(--badwash) }

@media (max-width: 50rem) {
  .row { grid-template-columns: minmax(0, 1fr); gap: 1.1rem }
  .shown { position: static }
  .pictures { grid-template-columns: repeat(4, minmax(0, 1fr)) }
  .heads { display: none }
  .strip { grid-template-columns: repeat(4, minmax(0, 1fr)) }
  .answer { grid-template-columns: repeat(3, minmax(0, 1fr)); align-items: start }
  .answer + .answer { margin-top: 1.4rem }
  .answer p { grid-column: 1 / -1; padding: 0 }
  .answer figcaption { display: block; margin-top: .3rem; color: var(--soft); font-size: .76rem; line-height: 1.25 }
  .edit { grid-template-columns: repeat(2, minmax(0, 1fr)); align-items: start }
  .edit.heads { display: none }
  .edit + .edit { margin-top: 1.6rem }
  .edit figcaption { display: block; margin-top: .3rem; color: var(--soft); font-size: .76rem; line-height: 1.25 }
  .bars tr { display: grid; grid-template-columns: 1fr auto; margin-bottom: .6rem }
  .bars th, .bars td { padding: 0 }
  .bars .value { grid-area: 1 / 2 }
  .bar { grid-column: 1 / -1 }
  .bar i { height: .7rem }
}
@media print { nav { position: static } article, .panel { break-inside: avoid } }
"""
