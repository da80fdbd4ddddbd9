"""The demo: the main job of Assay, on a real server, told step by step; run by ``make demo``.

The status is 0 only if everything that is told has happened.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import by_hand
import digits as lab
import proving
import using
from narration import DemoFailed, Narrator
from rich.text import Text
from stage import Stage

import assay
from assay.cli.screens import access
from assay.errors import AssayError

STEPS = 12

OPENING = (
    "A model registry that proves a model before it serves it.\n\n"
    "You will see a model trained, pushed, measured, held against its gate, published and used; "
    "a weak one refused; and a record of all of it.\n\n"
    "The server is real: gRPC with mutual TLS, SQLite and a directory of files. Everything "
    "happens on this machine, in a directory that is gone at the end."
)


def main() -> int:
    """Tell the story; returns the status to end with."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    tell = Narrator(STEPS)
    tell.opening("Assay", OPENING)
    try:
        play(tell)
    except (DemoFailed, AssayError) as failure:
        tell.console.print(Text(f"\n✗ The demo failed. {failure}", style="bad"))
        return 1
    except KeyboardInterrupt:
        tell.console.print(Text("\nInterrupted; nothing is left behind.", style="warn"))
        return 130
    tell.console.print(
        Text(f"\n✓ {tell.checks} checks, all true, in {tell.elapsed_s:.0f} s.", style="good")
    )
    return 0


def play(tell: Narrator) -> None:
    """All steps, on a server of their own."""
    tell.step(
        "A registry of your own",
        "One command starts a server with a certificate authority of its own and one "
        "certificate per role. There are no passwords: who you are is in your certificate.",
    )
    with tempfile.TemporaryDirectory(prefix="assay-demo-") as directory, assay.local() as registry:
        stage = Stage(tell, registry, Path(directory), lab.load())
        answer = stage.scientist.whoami()
        tell.shows(*access.who(answer, target=registry.target))
        tell.checks_that(bool(answer.principal), "the server runs and knows the data scientist")
        tell.checks_that(
            len({client.whoami().principal for client in stage.clients}) == len(stage.clients),
            f"{len(stage.clients)} identities, each with a certificate and a role",
        )
        first = proving.train_and_push(stage)
        proving.set_gates(stage)
        proving.refuse_own_word(stage, first)
        measured = proving.evaluate(stage, first)
        proving.publish(stage, first)
        proving.refuse_weak_model(stage)
        proving.publish_better_model(stage, measured)
        using.consume(stage)
        using.deny_auditor(stage)
        using.show_history(stage, first)
        using.show_audit(stage)
    by_hand.tell(tell)


if __name__ == "__main__":
    sys.exit(main())
