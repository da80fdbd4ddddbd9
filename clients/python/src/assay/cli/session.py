"""What all commands share: where to write, whom to call, and what was refused last."""

import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

import typer

from assay import Client, contexts
from assay.cli.exit_codes import ExitCode, exit_code_of
from assay.cli.memory import Memory, Refusal
from assay.cli.screens import refusals
from assay.cli.terminal import Output, Terminal, show
from assay.connection import is_loopback
from assay.contexts import Context
from assay.errors import AssayError, ContextInvalid, Refused
from assay.plain import written

REFUSAL_FILE = "last-refusal.json"

_TARGET = re.compile(r"unix(-abstract)?:.+|\[[0-9A-Fa-f:.%]+\]:\d{1,5}|[^\s:/]+:\d{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options that every command takes."""

    context: str = ""
    target: str = ""
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    output: Output = Output.TABLE
    quiet: bool = False
    color: bool = True
    debug: bool = False


@dataclass
class Session:
    """One run of the program."""

    arguments: tuple[str, ...] = ()
    choices: Choices = field(default_factory=Choices)

    def __post_init__(self) -> None:
        self._client: Client | None = None
        self.choose(self.choices)

    @classmethod
    def of(cls, context: typer.Context) -> "Session":
        """The session that the program gave to this command."""
        found = context.find_object(cls)
        assert found is not None
        return found

    def choose(self, choices: Choices) -> None:
        """Take over what the caller chose."""
        self.choices = choices
        self.terminal = Terminal(output=choices.output, quiet=choices.quiet, color=choices.color)

    @property
    def command(self) -> str:
        """The command as it was typed."""
        return shlex.join(["assay", *self.arguments])

    @property
    def memory(self) -> Memory:
        """Where the last refusal is kept."""
        return Memory(contexts.default_path().parent / REFUSAL_FILE)

    @property
    def context_name(self) -> str:
        """Name of the context in use; empty where the target was given by hand."""
        if self.choices.target:
            return ""
        return self.choices.context or contexts.load().current

    def context(self) -> Context:
        """Whom to call: by --target, by --context, or the current context.

        Raises:
            ContextInvalid: There is none, or the options do not go together.
        """
        chosen = self.choices
        if not chosen.target:
            known = contexts.load()
            called = chosen.context or known.current
            kept = known.get(called)
            _require_tls(kept, f"Give them with `assay context add {called} …`.")
            return kept
        given = [chosen.ca, chosen.cert, chosen.key]
        if any(given) and not all(given):
            raise ContextInvalid("--ca, --cert and --key go together: give all three, or none.")
        if not _TARGET.fullmatch(chosen.target):
            raise ContextInvalid(
                f"--target must be HOST:PORT, such as registry.acme.com:8443, not {chosen.target}."
            )
        made = Context(target=chosen.target, ca=chosen.ca, cert=chosen.cert, key=chosen.key)
        _require_tls(made, "Give --ca, --cert and --key.")
        return made

    @property
    def client(self) -> Client:
        """The client, made when a command first needs it."""
        if self._client is None:
            context = self.context()
            self._client = Client(context.target, tls=context.tls, namespace=context.namespace)
        return self._client

    def close(self) -> None:
        """Give the connection back."""
        if self._client is not None:
            self._client.close()

    def refuse(self, error: AssayError) -> ExitCode:
        """Show a refusal, remember it, and find the status to end with."""
        refusal = Refusal.of(error, command=self.command, context=self._safe_context())
        if isinstance(error, Refused) and "why" not in self.arguments[:1]:
            self.memory.remember(refusal)
        if self.terminal.is_json:
            sys.stderr.write(written({"error": refusals.plain(refusal)}) + "\n")
        else:
            for part in refusals.refused(refusal):
                show(self.terminal.err, part)
        return exit_code_of(error)

    def _safe_context(self) -> str:
        try:
            return self.context_name
        except ContextInvalid:
            return self.choices.context


def _require_tls(context: Context, remedy: str) -> None:
    """Refuse plaintext to another machine before anything is kept or asked."""
    if context.tls is None and not is_loopback(context.target):
        raise ContextInvalid(
            f"{context.target} is not on this machine, and without certificates everybody on the "
            f"way could read and change what is sent. {remedy}"
        )


def misused(sentence: str) -> typer.BadParameter:
    """A refusal of the command line itself, before anything is asked of a server."""
    return typer.BadParameter(sentence)
