"""Silence for what diffusers and transformers print of themselves; what a user has to know, tutelage says once."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import diffusers
import transformers


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Without the progress bars, remarks and notices of deprecation of diffusers and transformers; errors remain."""
    libraries: tuple[Any, ...] = (diffusers.utils.logging, transformers.utils.logging)
    before = [(library, library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    try:
        for library in libraries:
            library.set_verbosity_error()
            library.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for library, verbosity, bar in before:
            library.set_verbosity(verbosity)
            if bar:
                library.enable_progress_bar()
