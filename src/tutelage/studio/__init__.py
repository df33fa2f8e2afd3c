"""A web app over a run directory: draw, edit, look through the corpus, rate, and watch a run.

Nothing is stored twice: what the pages show is read from the run's own files, and what people say is written where the
rest of the system reads it: verdicts of a judge named `person` into the corpus, ratings into the run's `ratings`.

command.py              `tutelage studio`: checks what it is given, before anything heavy is imported
settings.py             what a studio is opened on
server.py door.py       the web server, and who may come in: hosts, passwords, what browsers may load
app.py look.py          the pages put together; how they look
pictures.py uploads.py  pictures that pages show; pictures that people bring
paths.py                no path of the machine in any page
notices.py              what goes wrong, said on the page
generate_tab.py         with artists.py (who draws), drawing.py (as it goes), toys.py, heat.py
edit_tab.py             editors side by side, with editors.py (who edits) and orders.py (what a specialist is told)
progress.py             how far a drawing is
corpus_tab.py           with columns.py (the corpus in memory), filters.py, cards.py, person.py
rate_tab.py             with items.py (what is rated), ratings.py (what was said), results.py, rate_keys.py
runs_tab.py             with watching.py (how far a run is, from its logs) and reports.py

To add a tab, write its `..._tab.py` with a function that fills it, and its line in `app.py`.
"""
