"""Pages → clusters → prompts (SuTI, §3.1 and §3.2): what is found on the web becomes pictures of one subject each, and
sentences that ask for the subject anew.

Read in this order: `settings`, `group` (pictures by page, with Daft), `embed` (features), `cluster` (is a page one
subject?), `calibrate` (where the limits are for another encoder), `words` and `describe` (what the subject is called),
`grammar` and `imagine` (unseen prompts by skill), `mine` (all but the prompts over a crawl, part by part), `records`
(the results on disk).

Captions and texts come from a `Captioner` and a `LanguageModel` (see `language`, which says how to add one).
"""
