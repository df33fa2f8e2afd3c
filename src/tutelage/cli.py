"""The door: one table of commands, and nothing heavy imported before a command is picked.

To add a command, add a line to `COMMANDS`. Its target is a function with typed keyword arguments, or with exactly one
argument whose type is a frozen dataclass; either way `tyro` makes the flags from the types and the docstrings. The
function may return an exit status; whatever else it returns is dropped and counts as success.

Exit statuses: 0 done; 2 the input was wrong (one line says what to do); 130 stopped with Ctrl-C; 141 nobody
reads the output any more.
"""

import dataclasses
import importlib
import inspect
import os
import re
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tutelage import __version__
from tutelage.errors import BadInput, did_you_mean
from tutelage.run import run_as

PROG: Final = "tutelage"


class Command(NamedTuple):
    """A line of the help, and where the function behind it lives (`module:function`)."""

    summary: str
    target: str


COMMANDS: Final[Mapping[str, Command]] = {
    "demo": Command("see all of it once, small: from pages to a student", "tutelage.demo:demo_command"),
    "generate": Command("make pictures from a prompt", "tutelage.generate:generate"),
    "edit": Command("change a picture as told", "tutelage.edit:edit"),
    "toybox sheet": Command("draw subjects of the built-in world on one sheet", "tutelage.toybox.sheet:sheet_command"),
    "toybox crawl": Command("write a crawl of the built-in world to disk", "tutelage.toybox.crawl:crawl_command"),
    "run": Command("run a recipe, or list the recipes", "tutelage.cli:run_recipe"),
    "plan": Command("say what a run would take on a cluster", "tutelage.planning.command:plan_command"),
    "warm-start": Command(
        "make the mean of finished experts to start from", "tutelage.teachers.warm_start:warm_start_command"
    ),
    "shrink": Command("store a model in eight bits, to hand it on", "tutelage.diffusion.shrink:shrink_command"),
    "report": Command("write the page that shows a run", "tutelage.report.page:report_command"),
    "studio": Command("open the web app over a run", "tutelage.studio.command:studio_command"),
    "calibrate": Command("find mining's limits for an encoder", "tutelage.mining.calibrate:calibrate_command"),
    "judge": Command("add the verdicts of further judges to a corpus", "tutelage.judging.command:judge_command"),
    "fingerprint": Command(
        "write what duplicates and leaks are known by", "tutelage.judging.fingerprint:fingerprint_command"
    ),
    "corpus show": Command("draw some triplets of a corpus on one sheet", "tutelage.corpus.commands:show_command"),
    "corpus stats": Command("print what survives which judge, by skill", "tutelage.corpus.commands:stats_command"),
    "corpus export": Command("write a corpus in another format", "tutelage.corpus.commands:export_command"),
    "corpus import": Command("read a set of edits into a corpus", "tutelage.corpus.commands:import_command"),
    "corpus trace": Command("list what derives from a URL", "tutelage.corpus.commands:trace_command"),
    "corpus forget": Command("remove what derives from a URL", "tutelage.corpus.commands:forget_command"),
    "agreement": Command("compare scores with human raters", "tutelage.benches.agreement.command:agreement_command"),
    "distill": Command("make a small judge of a strong one's marks", "tutelage.judging.distil:distill_command"),
    "bench checkpoints": Command("measure checkpoints on held-out toys", "tutelage.benches.checkpoints:bench_command"),
    "bench toybox": Command("measure who draws unseen toys", "tutelage.generators.command:bench_toybox_command"),
    "bench judges": Command("measure judges against the truth", "tutelage.judging.bench_command:bench_judges_command"),
    "bench pie": Command("measure editors on PIE-Bench", "tutelage.generators.edit_command:pie_command"),
    "bench omniedit": Command("measure editors by task", "tutelage.generators.edit_command:omniedit_command"),
    "bench editing": Command("draw an editor's curve of guidance", "tutelage.generators.edit_command:editing_command"),
    "bench dreambench": Command(
        "measure likeness and text on DreamBench", "tutelage.generators.photo_command:bench_dreambench_command"
    ),
    "bench dreambench_v2": Command(
        "the same on compositional prompts, by level", "tutelage.generators.photo_command:bench_dreambench_v2_command"
    ),
    "bench dreambench_plus": Command(
        "the same on DreamBench++, by a rater", "tutelage.generators.photo_command:bench_dreambench_plus_command"
    ),
    "bench specialists": Command(
        "measure specialists on held-out toys", "tutelage.generators.specialist_command:specialists_command"
    ),
    "bench mining": Command("measure mining on a crawl of known truth", "tutelage.benches.mining:mining_command"),
    "bench viescore-hygiene": Command(
        "measure what a judge that misbehaves does to scores", "tutelage.benches.viescore_hygiene:hygiene_command"
    ),
    "fake-judge": Command("serve a judge that looks at nothing, to try a run", "tutelage.viescore.serve:serve_command"),
    "reproduce table1": Command("the paper's Table 1 in miniature", "tutelage.reproduce.command:table1_command"),
    "reproduce table2": Command("its Table 2, with all baselines", "tutelage.reproduce.command:table2_command"),
    "reproduce table3": Command("its Table 3: Dream-SuTI", "tutelage.reproduce.command:table3_command"),
    "reproduce figure6": Command(
        "its Figure 6: number of demonstrations", "tutelage.reproduce.command:figure6_command"
    ),
    "reproduce filter": Command("what the ΔCLIP filter does to a student", "tutelage.reproduce.command:filter_command"),
    "reproduce copy-paste": Command("its first version, which copies", "tutelage.reproduce.command:copy_paste_command"),
    "reproduce edits": Command("OmniEdit's claims in miniature", "tutelage.reproduce.command:edits_command"),
    "reproduce edit-specialists": Command(
        "an editor beside its specialists", "tutelage.reproduce.command:edit_specialists_command"
    ),
    "reproduce edit-sources": Command(
        "an editor beside those of one task", "tutelage.reproduce.command:edit_sources_command"
    ),
    "reproduce edit-filter": Command("what judges do to an editor", "tutelage.reproduce.command:edit_filter_command"),
    "reproduce edit-refined": Command("what refinement does to one", "tutelage.reproduce.command:edit_refined_command"),
    "reproduce edit-students": Command(
        "EditNet, ControlNet and concatenation", "tutelage.reproduce.command:edit_students_command"
    ),
    "reproduce edit-shapes": Command(
        "an editor on upright and wide pictures", "tutelage.reproduce.command:edit_shapes_command"
    ),
}

HELP_FLAGS: Final = ("-h", "--help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (default: `sys.argv[1:]`) names and return its exit status.

    `BadInput` becomes one line on stderr and status 2; any other exception is a fault of ours and keeps its traceback.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _dispatch(words)
        sys.stdout.flush()
        return status
    except BadInput as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROG}: stopped; run the same command again to resume", file=sys.stderr)
        return 130
    except BrokenPipeError:
        if not _reader_left():
            raise
        return 141


def run_recipe(words: Sequence[str]) -> int:
    """Run the recipe `words[0]` with its fields changed by the flags that follow; without a name, list the recipes."""
    recipes: Mapping[str, str] = importlib.import_module("tutelage.recipes").RECIPES
    if not words or words[0] in HELP_FLAGS:
        print(_recipe_list(recipes))
        return 0
    name, *flags = words
    if name not in recipes:
        raise BadInput(f"no recipe '{name}'.{did_you_mean(name, recipes)} `{PROG} run` lists them")
    recipe = _load(recipes[name])
    default = recipe()
    config = _parse(type(default), flags, f"{PROG} run {name}", recipe, default)
    with run_as(name):
        config.run()
    return 0


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in HELP_FLAGS:
        print(_help())
        return 0
    if words[0] == "--version":
        print(f"{PROG} {__version__}")
        return 0
    name, rest = _pick(words)
    if name not in COMMANDS:
        print(_help(group=name))
        return 0
    return run_recipe(rest) if name == "run" else _run_command(name, rest)


def _reader_left() -> bool:
    """Say whether whoever read our output is gone (`tutelage ... | head`); if so, let Python exit without a word.

    The empty line asks: it fails if the broken pipe is ours, and does no harm above the traceback if it was another.
    """
    try:
        print(flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _pick(words: list[str]) -> tuple[str, list[str]]:
    """Split `words` into a command's name and its arguments; the name of a group alone asks for the group's help."""
    first, *rest = words
    if first in COMMANDS:
        return first, rest
    group = [name for name in COMMANDS if name.startswith(f"{first} ")]
    if group and (not rest or rest[0] in HELP_FLAGS):
        return first, []
    name = " ".join(words[:2]) if group else first
    if name in COMMANDS:
        return name, words[2:]
    near = did_you_mean(name, group or {*COMMANDS, *(known.partition(" ")[0] for known in COMMANDS), "--version"})
    raise BadInput(f"no command '{name}'.{near} `{PROG} --help` lists them")


def _run_command(name: str, flags: Sequence[str]) -> int:
    function = _load(COMMANDS[name].target)
    config_type = _config_type(function, flags)
    if config_type is None:
        status = _parse(function, flags, f"{PROG} {name}", function)
    else:
        status = function(_parse(config_type, flags, f"{PROG} {name}", function))
    return status if isinstance(status, int) else 0


def _load(target: str) -> Callable[..., Any]:
    module, _, attribute = target.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return loaded


def _config_type(function: Callable[..., Any], flags: Sequence[str]) -> type | None:
    """Return the dataclass that is `function`'s only argument, or None when its arguments are the flags.

    A dataclass whose fields depend on other flags has a class method `for_flags` that makes it.
    """
    parameters = list(inspect.signature(function).parameters)
    if len(parameters) != 1:
        return None
    annotation = typing.get_type_hints(function).get(parameters[0])
    if not (isinstance(annotation, type) and dataclasses.is_dataclass(annotation)):
        return None
    grow: Callable[[Sequence[str]], type] | None = getattr(annotation, "for_flags", None)
    return grow(flags) if grow else annotation


def _parse(
    build: Callable[..., Any], flags: Sequence[str], prog: str, documented: Callable[..., Any], default: Any = None
) -> Any:
    """Build from the flags; a wrong flag prints tyro's own explanation (with the closest ones) and exits with 2."""
    import tyro  # 0.3 s: `tutelage --help` does without it

    known: dict[str, Any] = {} if default is None else {"default": default}
    flat = (tyro.conf.AvoidSubcommands,)  # where a field may be of several kinds, the flags are those of the kind it is
    return tyro.cli(build, prog=prog, args=list(flags), description=_about(documented), config=flat, **known)


def _about(documented: Callable[..., Any]) -> str:
    """Return the docstring up to its first section: tyro shows the arguments, and errors speak for themselves."""
    return re.split(r"^(?:Args|Raises|Returns|Yields):$", inspect.getdoc(documented) or "", flags=re.M)[0].strip()


def _help(group: str = "") -> str:
    """Return the help of all commands, or of those of one group."""
    shown = {name: command.summary for name, command in COMMANDS.items() if name.startswith(group and f"{group} ")}
    usage = f"usage: {PROG} {group}{' ' if group else ''}COMMAND [--flag value ...]"
    closing = f"`{PROG} COMMAND --help` lists a command's flags; `{PROG} --version` prints the version."
    return "\n".join([usage, "", *_columns(shown), "", closing])


def _recipe_list(recipes: Mapping[str, str]) -> str:
    """Return every recipe with the first line of its docstring; recipe modules are light to import, so all are."""
    shown = {name: (inspect.getdoc(_load(target)) or "").partition("\n")[0] for name, target in recipes.items()}
    usage = f"usage: {PROG} run RECIPE [--field value ...]"
    closing = f"`{PROG} run RECIPE --help` lists a recipe's fields. The same command again resumes a run."
    return "\n".join([usage, "", *_columns(shown), "", closing])


def _columns(rows: Mapping[str, str]) -> list[str]:
    width = max((len(name) for name in rows), default=0)
    return [f"  {name:{width}}  {text}".rstrip() for name, text in rows.items()]
