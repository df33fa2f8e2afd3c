"""How the toybox checkpoints are trained: rendered data, one resumable loop, one file per checkpoint."""
