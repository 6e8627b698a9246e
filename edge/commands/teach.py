"""``edge teach``: learn classes from images, on the board."""

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edge.commands import stream_options
from edge.commands.options import JSON, counted, say
from edge.errors import UsageError
from edge.next_steps import NextStep, command_line, lines
from edge.terminal import graceful_shutdown, suppress_native_stderr

if TYPE_CHECKING:
    from edge.teaching.once import TeachResult
    from edge.teaching.teacher import Teacher

EXAMPLES = """
\b
Examples:
  edge teach cups/                           a page: show things to camera 0, name them
  edge teach cups/ --source browser          with the camera of the device that shows the page
  edge teach cups/ --address 0.0.0.0         for other devices in the network, with a token
  edge teach cups/ --once                    learn from the images in cups/NAME/, and end
  edge teach cups/ --once -o out/ --json
  edge teach cups/ --once --forget spoon     leave out a class; its images go to cups/.trash
  edge teach cups/ --once --backbone efficientnet_lite0
  edge convert cups/                         later, on a workstation: the verified model

\b
The folder is an ordinary data set, with a folder of images per class; it may not exist yet. The
page records images into it until Ctrl-C, learns after every change, and goes on where it was when
it is started again. The result is an int8 model with a new head on a backbone that stays as it
is; the accuracy shown is that of a cross-validation of the head, not of the file.
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Folder of the model.  [default: DIR-model]",
)  # fmt: skip
@click.option("--once", is_flag=True, help="Learn from the images there, without a page, and end.")
@click.option(
    "--address", default="127.0.0.1:8080", show_default=True, metavar="HOST[:PORT]",
    help="Where the page listens; 0.0.0.0 opens it to the network, with a token.",
)  # fmt: skip
@click.option(
    "--backbone", default="builtin", show_default=True, metavar="MODEL",
    help="Classifier whose features are used: builtin, a .tflite file, an earlier result, or a "
    "name from 'edge models list'.",
)  # fmt: skip
@click.option("--forget", multiple=True, metavar="NAME", help="Remove a class first; repeatable.")
@click.option(
    "--delegate", default="auto", show_default=True, metavar="auto|cpu|edgetpu",
    help="What runs the backbone; auto uses the Edge TPU for one compiled for it.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N",
    help="CPU threads.  [default: one per core, at most 4]",
)  # fmt: skip
@stream_options.source_options
@JSON
def teach(
    folder: Path,
    out: Path | None,
    once: bool,
    address: str,
    backbone: str,
    forget: tuple[str, ...],
    delegate: str,
    threads: int | None,
    source: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Learn to classify what a camera is shown, in seconds and without TensorFlow.

    A file as the source plays at its speed, again and again.
    """
    from edge.teaching import once as teaching
    from edge.teaching.teacher import Teacher

    result: TeachResult | None
    if once:
        _refuse_options_of_the_page(("address", "source", *options))
        with suppress_native_stderr():
            result = teaching.teach(
                folder, out, backbone=backbone, forget=forget, delegate=delegate,
                threads=threads, say=_say,
            )  # fmt: skip
    else:
        from edge.sinks.web.address import parse_address
        from edge.teaching.page import serving

        listening = parse_address(address)
        playing = stream_options.build_source_options(source, **options, loop=True, realtime=True)
        serving.check_installed()
        with suppress_native_stderr():
            teacher = Teacher.open(
                folder, out, backbone=backbone, delegate=delegate, threads=threads, say=_say
            )
        for label in forget:
            teacher.forget(label)
        stop = threading.Event()
        with graceful_shutdown(stop):
            result = serving.serve(teacher, source, playing, listening, stop=stop, say=_say)
    if result is None:
        _show_nothing(teacher, folder, as_json)
        return
    steps = _next_steps(result, folder)
    if as_json:
        click.echo(json.dumps({**result.to_dict(), "next_steps": [s.to_dict() for s in steps]}))
        return
    _show(result)
    for line in lines(steps):
        click.echo(line)


def _refuse_options_of_the_page(names: tuple[str, ...]) -> None:
    """Refuse what has no effect without a page and its camera.

    Raises:
        UsageError: an option of these names is on the command line.
    """
    context = click.get_current_context()
    default = ParameterSource.DEFAULT
    given = [f"--{name}" for name in names if context.get_parameter_source(name) is not default]
    if given:
        raise UsageError(
            "--once to learn from the images in the folder alone",
            " ".join(given),
            f"leave out {', '.join(given)}, or leave out --once to record images on the page",
            code="conflicting-options",
        )


def _say(note: str) -> None:
    say((note,))


def _show_nothing(teacher: "Teacher", folder: Path, as_json: bool) -> None:
    """Say that there are not two classes yet."""
    again = NextStep("go on teaching", command_line("edge", "teach", folder))
    if as_json:
        click.echo(json.dumps({"model": None, "classes": [], "next_steps": [again.to_dict()]}))
        return
    images = counted(sum(teacher.counts.values()), "image")
    click.echo(f"No model yet: it takes two classes with images. {folder} has {images}.")
    for line in lines([again]):
        click.echo(line)


def _show(result: "TeachResult") -> None:
    classes = result.assessment.classes
    click.echo(
        f"{result.model}: {counted(len(classes), 'class')}, learned from "
        f"{counted(sum(result.counts.values()), 'image')}."
    )
    width = max(len(each.label) for each in classes)
    for each in classes:
        right = f"{each.correct} of {each.tested} right" if each.tested else "not tested"
        click.echo(f"  {each.label:{width}}  {counted(each.count, 'image'):>12}  {right}")
    if result.assessment.accuracy is not None:
        click.echo(f"Cross-validated accuracy of the head: {result.assessment.accuracy:.1%}.")
    for hint in (each.hint for each in classes):
        if hint:
            click.echo(hint)


def _next_steps(result: "TeachResult", folder: Path) -> list[NextStep]:
    from edge.teaching.output import beside

    model, verified = result.model, beside(folder, "verified")  # convert's default is taken
    return [
        NextStep(
            "see it on a camera",
            command_line("edge", "demo", "classify", "--model", model, "--source", "0"),
        ),
        NextStep(
            "convert and verify it on held-out images, on a workstation",
            command_line("edge", "convert", folder, "-o", verified),
        ),
    ]
