"""Teachers make triplets, judges weigh them, one student learns from them, benches measure it."""

import os

# Libraries read these when they are imported, so they are set before any of them can be. `setdefault`: whoever wants
# one of them on sets it, and DO_NOT_TRACK=0 with it, in the environment.
for _name, _off in (
    ("DO_NOT_TRACK", "true"),
    ("HF_HUB_DISABLE_TELEMETRY", "1"),
    ("GRADIO_ANALYTICS_ENABLED", "False"),
    ("RAY_USAGE_STATS_ENABLED", "0"),
    ("DAFT_ANALYTICS_ENABLED", "0"),
    ("SCARF_NO_ANALYTICS", "true"),  # asked by Daft beside its own
):
    os.environ.setdefault(_name, _off)
del _name, _off

# On a CPU, oneDNN compiles a kernel for every shape of every layer and keeps 1 024. Experts see batches of many shapes:
# with room for all of them, a step takes a third of the time.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "4096")

__version__ = "0.1.0"
