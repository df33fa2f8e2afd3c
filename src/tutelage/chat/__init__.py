"""Models that one talks to, with pictures or without: served ones and ones on this machine.

Read in this order: `base` (what is asked, what comes back), `settings` (how a server is asked, and for how much money),
`models` (a model by name), `endpoint` (a server that speaks the OpenAI protocol; `exchange` is one request to it,
`waiting` its back-off), `local` (any folder or Hub id), `store` (answers and spending on disk), `purse` (the budget),
`fake_server` (a server that misbehaves as told, to try all this on).

To add a kind of model, write a class with `id` and `ask` (see `base.ChatModel`) and give it a line in `models`.
"""
