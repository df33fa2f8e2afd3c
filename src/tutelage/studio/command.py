"""`tutelage studio`: the web app over a run directory."""

from pathlib import Path
from typing import Final, Literal

from tutelage.errors import BadInput
from tutelage.run import CONFIG

PORT: Final = 7860
"""Gradio's."""
HERE: Final = "127.0.0.1"


def studio_command(
    run: Path | None = None,
    /,
    *,
    student: str | None = None,
    base: str | None = None,
    editor: tuple[str, ...] = (),
    port: int = PORT,
    share_on: str | None = None,
    password_file: Path | None = None,
    device: str = "auto",
    dtype: Literal["auto", "fp32", "fp16", "bf16"] = "auto",
) -> None:
    """Open the studio: draw and edit, look through a corpus, rate pictures blind, watch runs.

    It answers this machine alone, unless --share-on names an address and --password-file who may come in. It needs the
    extra `studio` (pip install 'tutelage[studio]').

    Args:
        run: Folder of a run; without one there is nothing to look through and to rate.
        student: Who draws subjects: a shipped checkpoint, a folder or a Hub id; by default the run's, if it has one by
            now that does, else the built-in one.
        base: Who draws from the words alone; by default the run's base, else the built-in one.
        editor: Who edits pictures, side by side: shipped checkpoints, folders or Hub ids; by default the run's student,
            if it edits, else the built-in one.
        port: Port to listen on; 0 takes a free one.
        share_on: Address to answer on instead, such as 0.0.0.0 for all of this machine's. Passwords go over the wire as
            they are: put a server with TLS before it.
        password_file: Text file with a line `name:password` for each person.
        device: auto, cpu, cuda, cuda:1, ... or mps.
        dtype: Number format to compute in; auto is bf16 on CUDA and fp32 elsewhere.

    Raises:
        BadInput: the run or the password file is none, sharing lacks passwords, or the port is taken.
    """
    passwords = _passwords(share_on, password_file)
    if not 0 <= port < 65536:
        raise BadInput(f"--port {port} is none; give 0 to 65535")
    if run is not None and not (run / CONFIG).is_file():
        raise BadInput(f"{run} is no run (no {CONFIG}); give the folder of a run, or none")
    _check_extra()
    from tutelage.edit import EDITOR, is_editor
    from tutelage.studio.artists import default_base
    from tutelage.studio.server import serve
    from tutelage.studio.settings import MODEL, Studio
    from tutelage.subject import shipped_student

    own = run / MODEL if run is not None and (run / MODEL / "model_index.json").is_file() else None
    edits = own is not None and is_editor(own)
    studio = Studio(
        run=run,
        student=student or (None if edits else own) or shipped_student(),
        base=base or default_base(run),
        editors=editor or (own if edits and own else EDITOR,),
        device=device,
        dtype=dtype,
    )
    serve(studio, share_on or HERE, port, passwords)


def _passwords(share_on: str | None, file: Path | None) -> dict[str, str] | None:
    if share_on is not None and file is None:
        raise BadInput("--share-on lets others in; say who with --password-file, a line `name:password` each")
    if file is None:
        return None
    from tutelage.studio.door import read_passwords

    return read_passwords(file)


def _check_extra() -> None:
    from importlib.util import find_spec

    if find_spec("gradio") is None:
        raise BadInput("the studio needs Gradio, which is not installed; pip install 'tutelage[studio]'")
