"""The command line as a whole: its options, its commands, and how a run ends."""

import sys
import traceback
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from assay.cli import commands
from assay.cli.exit_codes import ExitCode
from assay.cli.help_pages import Example, Group
from assay.cli.session import Choices, Session
from assay.cli.terminal import Output
from assay.errors import AssayError

FLAGS = frozenset({"-q", "--quiet", "--no-color", "--debug"})
VALUED = frozenset({"-o", "--output", "--context", "--target", "--ca", "--cert", "--key"})


class Program(Group):
    """The root. Its options may stand anywhere on the line, as people expect of them."""

    examples = (
        Example("assay push vision/digits model.joblib --card CARD.md", "store a model"),
        Example("assay publish vision/digits/3", "ask its gate; get a semantic version"),
        Example("assay why", "explain the last refusal and what to do next"),
        Example("assay pull vision/digits@champion --to model/", "fetch it, verified"),
        Example("assay ls vision/digits --output json | jq", "read answers with a program"),
    )

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options of the program first, wherever they are."""
        return super().parse_args(ctx, hoisted(args))


app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Show the version and end, whatever else is on the line."""
    if wanted:
        typer.echo(f"assay {metadata.version('assay-registry')}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    *,
    context: Annotated[
        str,
        typer.Option(
            metavar="NAME", envvar="ASSAY_CONTEXT", help="Server and identity; see assay context."
        ),
    ] = "",
    target: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Server, instead of a context.")
    ] = "",
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="Its authority, as PEM.")] = None,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your certificate, as PEM.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your private key, as PEM.")
    ] = None,
    output: Annotated[
        Output,
        typer.Option("--output", "-o", metavar="table|json", help="For people or for programs."),
    ] = Output.TABLE,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only names, one a line, and no progress.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Assay, a model registry that proves a model before it serves it.

    A version is written vision/digits/3, vision/digits@champion or vision/digits@^1.4; see
    `assay help references`. Exit status: 0 ok, 1 failed, 2 usage, 3 not found, 4 permission,
    5 gate closed or not now, 6 race lost, 7 unreachable, 8 corrupt, 130 interrupted; see
    `assay help exit-codes`.
    """
    Session.of(ctx).choose(
        Choices(
            context=context,
            target=target,
            ca=ca,
            cert=cert,
            key=key,
            output=output,
            quiet=quiet,
            color=not no_color,
            debug=debug,
        )
    )


commands.add_all(app)


def hoisted(arguments: list[str]) -> list[str]:
    """``arguments`` with the program's own options in front; what follows ``--`` stays."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in FLAGS or (argument.partition("=")[0] in VALUED and "=" in argument):
            front.append(argument)
        elif argument in VALUED:
            front += [argument, *(value for value in [next(waiting, None)] if value is not None)]
        else:
            rest.append(argument)
    return front + rest


def run(arguments: list[str] | None = None) -> None:
    """Run the program and end the process with the status that exit_codes documents."""
    sys.exit(status_of(sys.argv[1:] if arguments is None else arguments))


def status_of(arguments: list[str]) -> int:
    """Run the program; returns the status to end with."""
    session = Session(tuple(arguments))
    try:
        program = typer.main.get_command(app)
        status = program.main(args=arguments, prog_name="assay", standalone_mode=False, obj=session)
        if status == ExitCode.INTERRUPTED:  # Typer makes this of Ctrl-C
            raise KeyboardInterrupt
        return int(status) if isinstance(status, int) else int(ExitCode.OK)
    except AssayError as error:
        _show_traceback(session)
        return int(session.refuse(error))
    except (KeyboardInterrupt, typer.Abort):
        session.terminal.err.print(Text("Interrupted.", style="warn"))
        return int(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody sees a traceback
        return int(_unexpected(session, error))
    finally:
        session.close()


def _unexpected(session: Session, error: Exception) -> ExitCode:
    """Usage errors of Click, which have a message of their own, and faults of this program."""
    err = session.terminal.err
    if hasattr(error, "format_message"):
        usage = getattr(error, "ctx", None)
        sentence = error.format_message()
        if not sentence:  # no_args_is_help: the help was the answer
            return ExitCode.USAGE
        err.print(Text(f"✗ {sentence}", style="bad"))
        if usage is not None:
            err.print(Text(f"→ {usage.command_path} --help", style="command"))
        return ExitCode.USAGE
    _show_traceback(session)
    fault = f"{type(error).__name__}: {error}".removesuffix(": ")
    err.print(Text(f"✗ The command line failed unexpectedly. {fault}", style="bad"))
    err.print(Text("→ repeat it with --debug to see where", style="command"))
    return ExitCode.FAILED


def _show_traceback(session: Session) -> None:
    if session.choices.debug:
        traceback.print_exc()
