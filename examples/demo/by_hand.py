"""How to do by hand what the demo did: commands to copy; a test runs them."""

from dataclasses import dataclass

from narration import Narrator
from rich.rule import Rule
from rich.text import Text


@dataclass(frozen=True)
class Hand:
    """A command, what it is for, and the status that it should end with."""

    command: str
    meaning: str = ""
    status: int = 0


PREPARATION = (
    Hand("make serve", "start a server that stays"),
    Hand("source .venv/bin/activate", "in another terminal; every role has a context"),
    Hand("export ASSAY_CONFIG=$PWD/.assay/dev/contexts.toml"),
)

COMMANDS = (
    Hand("assay doctor", "is all well?"),
    Hand("assay namespace create vision", "a space, and a line of versions in it"),
    Hand("assay model create vision/digits --task image-classification"),
    Hand(
        "assay --context engineer gate set vision/digits \\\n"
        "    --threshold 'accuracy>=0.95' --trusted",
        "say what must hold",
    ),
    Hand(
        "assay --context data-scientist push vision/digits examples/demo/digits.py",
        "push any file or directory",
    ),
    Hand("assay --context data-scientist publish vision/digits/1", "too early: it is refused", 5),
    Hand("assay why", "why?"),
    Hand(
        "assay --context evaluator eval import vision/digits/1 \\\n"
        "    --metric accuracy=0.97 --samples 540 --dataset-file examples/demo/digits.py",
        "record what was measured",
    ),
    Hand("assay --context data-scientist publish vision/digits/1", "now the gate opens"),
    Hand("assay alias set vision/digits@champion 1", "point a name to it"),
    Hand("assay --context consumer pull vision/digits@champion --to .assay/champion", "use it"),
    Hand("assay log vision/digits", "look back"),
    Hand("assay audit vision --since 1h"),
)


def tell(narrator: Narrator) -> None:
    """Print the commands plainly, so that they can be copied."""
    console = narrator.console
    console.print()
    console.print(Rule(Text("Do it by hand", style="bold cyan"), align="left", style="dim"))
    for hand in (*PREPARATION, *COMMANDS):
        if hand.meaning:
            console.print(Text(f"  # {hand.meaning}", style="dim"))
        console.print(Text(f"  {hand.command}", style="command"))
