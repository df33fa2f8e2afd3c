"""The door: what it prints, what it exits with, and what it leaves unimported."""

import os
import subprocess
import sys
import types
from dataclasses import dataclass
from typing import Any

import pytest

from tutelage import __version__, cli
from tutelage import recipes as PACKAGE
from tutelage.cli import COMMANDS, Command, main
from tutelage.errors import BadInput

HEAVY = {"torch", "diffusers", "transformers", "scipy", "pyarrow", "tyro"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a pretend command."""

    count: int = 3
    """How many to make."""
    lr: float = 0.1

    def run(self) -> None:
        ran.append(self)


ran: list[object] = []


def by_config(config: Settings) -> None:
    """Take one dataclass."""
    ran.append(config)


def by_arguments(*, count: int = 3) -> int:
    """Take arguments.

    Args:
        count: How many to make.
    """
    ran.append(count)
    return 7


def a_recipe() -> Settings:
    """Train a pretend model.

    The rest is not listed.
    """
    return Settings(count=5)


def stopped() -> None:
    """Stop half-way."""
    raise KeyboardInterrupt


def refusing() -> None:
    """Refuse."""
    raise BadInput("pages.parquet, row 3: no URL; remove the row")


def broken() -> None:
    """Break."""
    raise ValueError("ours to fix")


@pytest.fixture(autouse=True)
def _pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    ran.clear()
    pretend: dict[str, Any] = {
        name: Command(f"a pretend {name}", f"{__name__}:{name}")
        for name in ("by_config", "by_arguments", "stopped", "refusing", "broken")
    }
    monkeypatch.setattr(cli, "COMMANDS", {**COMMANDS, **pretend})
    recipes = types.ModuleType("tutelage.recipes")
    recipes.RECIPES = {"pretend-sd": f"{__name__}:a_recipe"}  # type: ignore[attr-defined]
    recipes.__path__ = PACKAGE.__path__  # commands whose defaults are a recipe's find its module
    monkeypatch.setitem(sys.modules, "tutelage.recipes", recipes)


def imported_by(*words: str) -> set[str]:
    """The heavy packages that a fresh process has imported after running `words`."""
    code = f"import sys; from tutelage.cli import main; main({list(words)!r}); print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.splitlines())


@pytest.mark.parametrize("words", [["--help"], ["-h"], [], ["toybox"], ["toybox", "--help"], ["--version"]])
def test_asking_for_help_imports_nothing_heavy(words: list[str]) -> None:
    assert imported_by(*words) == set()


def test_listing_the_recipes_imports_no_torch() -> None:
    assert "torch" not in imported_by("run")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown and command.summary in shown for name, command in COMMANDS.items())


def test_a_group_lists_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["toybox"]) == 0
    shown = capsys.readouterr().out
    assert "toybox crawl" in shown
    assert "bench" not in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tutelage {__version__}\n"


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "tutelage", "gnerate"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Did you mean 'generate'?" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_early_gets_no_traceback(unbuffered: str) -> None:
    help_ = subprocess.Popen(
        [sys.executable, "-m", "tutelage", "--help"],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert help_.stdout is not None
    help_.stdout.close()
    assert help_.communicate()[1] == b""
    assert help_.returncode == 141


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gnerate"], "no command 'gnerate'. Did you mean 'generate'?"),
        (["toybx"], "Did you mean 'toybox'?"),
        (["toybox", "shet"], "no command 'toybox shet'. Did you mean 'toybox sheet'?"),
        (["bench", "zzzzzzzz"], "no command 'bench zzzzzzzz'. `tutelage --help` lists them"),
        (["--verson"], "Did you mean '--version'?"),
        (["run", "pretend-ds"], "no recipe 'pretend-ds'. Did you mean 'pretend-sd'? `tutelage run` lists them"),
        (["run", "--steps", "3"], "no recipe '--steps'. `tutelage run` lists them"),
        (["refusing"], "pages.parquet, row 3: no URL; remove the row"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("tutelage: ")
    assert says in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stopped"]) == 130
    assert capsys.readouterr().err == "tutelage: stopped; run the same command again to resume\n"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="ours to fix"):
        main(["broken"])


def test_a_command_may_take_a_config() -> None:
    assert main(["by_config", "--count", "4"]) == 0
    assert ran == [Settings(count=4)]


def test_a_command_may_take_arguments_and_return_a_status() -> None:
    assert main(["by_arguments", "--count", "4"]) == 7
    assert ran == [4]


def test_the_flags_of_a_recipe_edit_what_it_returns() -> None:
    assert main(["run", "pretend-sd", "--lr", "0.2"]) == 0
    assert ran == [Settings(count=5, lr=0.2)]


@pytest.mark.parametrize("words", [["run"], ["run", "--help"]])
def test_run_alone_lists_the_recipes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "pretend-sd  Train a pretend model." in shown
    assert "not listed" not in shown


@pytest.mark.parametrize(
    "words", [["by_config", "--cuont", "4"], ["by_arguments", "--cuont", "4"], ["run", "pretend-sd", "--cuont", "4"]]
)
def test_a_mistyped_flag_is_answered_with_the_nearest(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    assert "--count" in capsys.readouterr().err
    assert ran == []


@pytest.mark.parametrize("name", ["by_config", "by_arguments", "run pretend-sd"])
def test_help_of_a_command_says_what_it_does_and_its_flags(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*name.split(), "--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    assert "pretend model" in shown or "Take" in shown
    assert shown.count("How many to make.") == 1, "the docstring's sections are tyro's to show"


@pytest.mark.e2e
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "run"])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*name.split(), "--help"])
    assert exit_.value.code == 0
    assert f"tutelage {name}" in capsys.readouterr().out


@pytest.mark.e2e
def test_every_recipe_has_a_docstring_and_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "tutelage.recipes")
    from tutelage.recipes import RECIPES

    assert RECIPES
    for name, target in RECIPES.items():
        assert cli._load(target).__doc__, target
        with pytest.raises(SystemExit) as exit_:
            main(["run", name, "--help"])
        assert exit_.value.code == 0
        assert f"tutelage run {name}" in capsys.readouterr().out
