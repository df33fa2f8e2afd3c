"""Streams that stay open."""

import gradio as gr

from tutelage.studio.streams import Awaited, keep_open


def test_a_page_waits_for_something_even_when_all_is_answered() -> None:
    awaited = Awaited()
    awaited["page"] = set()
    awaited["page"].add("click")
    awaited["page"].remove("click")
    assert awaited["page"]
    awaited["page"] -= awaited["page"].copy()
    assert awaited["page"]


def test_gradio_keeps_what_pages_wait_for_where_we_say_so() -> None:
    with gr.Blocks(analytics_enabled=False) as made:
        gr.HTML("")
    made.queue()
    assert made._queue.pending_event_ids_session == {}
    keep_open(made)
    assert isinstance(made._queue.pending_event_ids_session, Awaited)
