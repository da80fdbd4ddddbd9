"""How to do by hand what the demo did: the commands, to copy."""

from narration import Narrator
from rich.rule import Rule
from rich.text import Text

COMMANDS = (
    ("start a server that stays", "make serve"),
    (
        "in another terminal: who is who, and is all well?",
        "source .venv/bin/activate\n  export ASSAY_CONFIG=$PWD/.assay/dev/contexts.toml\n  assay doctor",
    ),
    ("a space and a line of versions", "assay namespace create vision"),
    ("", "assay model create vision/digits --task image-classification"),
    (
        "push a file of yours",
        "assay --context data-scientist push vision/digits model.joblib --param C=10",
    ),
    (
        "say what must hold",
        "assay gate set vision/digits --threshold 'accuracy>=0.95' \\\n"
        "    --worst-slice 'accuracy@class>=0.9' --trusted",
    ),
    (
        "record what was measured, as the evaluator",
        "assay --context evaluator eval import vision/digits/1 results.json",
    ),
    (
        "publish it; --bump, since a file has no signature",
        "assay publish vision/digits/1 --bump major",
    ),
    ("if it is refused", "assay why"),
    ("point a name to it", "assay alias set vision/digits@champion 1"),
    ("use it from anywhere", "assay pull vision/digits@champion"),
    ("look back", "assay log vision/digits"),
    ("", "assay audit vision --denied"),
)


def tell(narrator: Narrator) -> None:
    """Print the commands plainly, so that they can be copied."""
    console = narrator.console
    console.print()
    console.print(Rule(Text("Do it by hand", style="bold cyan"), align="left", style="dim"))
    for meaning, command in COMMANDS:
        if meaning:
            console.print(Text(f"  # {meaning}", style="dim"))
        console.print(Text(f"  {command}", style="command"))
