"""BadInput and the hint that goes with it."""

import os
import subprocess
import sys

import pytest

from tutelage.errors import BadInput, did_you_mean


@pytest.mark.parametrize(
    ("word", "choices", "hint"),
    [
        ("dmeo", ["demo", "generate"], " Did you mean 'demo'?"),
        ("DEMO", ["demo"], " Did you mean 'demo'?"),
        ("toybox-clp", ("Toybox-CLIP", "toybox-sd"), " Did you mean 'Toybox-CLIP'?"),
        ("zebra", ["demo", "generate"], ""),
        ("demo", [], ""),
        ("", ["demo"], ""),
    ],
)
def test_the_closest_choice_is_offered(word: str, choices: list[str], hint: str) -> None:
    assert did_you_mean(word, choices) == hint


def test_bad_input_is_a_value_error() -> None:
    """Callers of the library need not know our class."""
    with pytest.raises(ValueError, match="row 3"):
        raise BadInput("scenes.jsonl, row 3: no such place")


TELEMETRY = """
import os, tutelage
print(*(os.environ[name] for name in ("DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_ANALYTICS_ENABLED",
                                      "RAY_USAGE_STATS_ENABLED", "DAFT_ANALYTICS_ENABLED", "SCARF_NO_ANALYTICS")))
"""


@pytest.mark.parametrize(
    ("user", "expected"),
    [({}, "true 1 False 0 0 true"), ({"GRADIO_ANALYTICS_ENABLED": "True"}, "true 1 True 0 0 true")],
)
def test_importing_the_package_turns_telemetry_off_unless_the_user_set_it(user: dict[str, str], expected: str) -> None:
    switches = ("TRACK", "TELEMETRY", "ANALYTICS", "USAGE_STATS")
    clean = {name: value for name, value in os.environ.items() if not any(word in name for word in switches)}
    done = subprocess.run([sys.executable, "-c", TELEMETRY], env=clean | user, capture_output=True, text=True)
    assert done.stdout.strip() == expected, done.stderr
