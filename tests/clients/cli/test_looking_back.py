"""The registry as it was at an earlier revision, by every command that shows it."""

from pathlib import Path

from tests.clients.cli.running import CommandLine


def test_looking_back_at_a_revision(
    cli: CommandLine, model: str, file: Path, signature: str
) -> None:
    for number, expected in ((1, 0), (2, 1)):
        file.write_bytes(b"weights" * number)
        assert cli("push", model, str(file), "--signature", signature, "--publish").status == 0
        pointed = cli("alias", "set", f"{model}@champion", str(number), "--expect", str(expected))
        assert pointed.status == 0, pointed.err
    moves = cli("alias", "log", f"{model}@champion", "-o", "json").json()
    first = str(moves[1]["revision"])
    then, champion = ("--as-of", first), f"{model}@champion"

    assert cli("resolve", champion, "-q").out.strip() == f"{model}/2"
    assert cli("resolve", champion, *then, "-q").out.strip() == f"{model}/1"
    assert cli("show", champion, *then, "-q").out.strip() == f"{model}/1"
    assert cli("ls", model, *then, "-q").out.split() == [f"{model}/1"]
    assert cli("ls", champion, *then, "-q").out.strip() == file.name
    assert model in cli("ls", "vision", *then, "-q").out.split()
    assert cli("show", model, *then, "-o", "json").json()["latest_version_number"] in (1, "1")
    listed = cli("alias", "ls", model, *then, "-o", "json").json()
    assert [str(alias["version_number"]) for alias in listed] == ["1"]

    early = cli("resolve", champion, "--as-of", "1")
    late = cli("resolve", champion, "--as-of", str(10**9))
    assert early.status != 0
    assert "is in the future" in late.err
    assert "has no past" in cli("show", "vision", *then).err


def test_looking_back_at_gates_evaluations_and_roles(
    cli: CommandLine, model: str, file: Path, signature: str
) -> None:
    member = "spiffe://acme/looked-back-at"
    assert cli("push", model, str(file), "--signature", signature).status == 0
    measured = ("--samples", "10", "--dataset-file", str(file))

    def made(accuracy: str, role: str) -> str:
        """What there is from now on, and the revision at which it is."""
        threshold = ("--threshold", f"accuracy>={accuracy}")
        assert cli("gate", "set", model, *threshold).status == 0
        metric = ("--metric", f"accuracy={accuracy}")
        assert cli("eval", "import", f"{model}/1", *metric, *measured).status == 0
        assert cli("role", "grant", role, member, model).status == 0
        return str(cli("resolve", f"{model}/1", "-o", "json").json()["revision"])

    def seen(*then: str) -> tuple[object, ...]:
        gate = cli("gate", "show", model, *then, "-o", "json").json()
        gates = cli("gate", "ls", model, *then, "-o", "json").json()
        shown = cli("eval", "show", f"{model}/1", *then, "-o", "json").json()
        evaluations = cli("eval", "ls", f"{model}/1", *then, "-q").out.split()
        roles = cli("role", "ls", model, *then, "-q").out.split()
        assert gate in gates
        return (
            gate["rules"][0]["threshold"]["bound"],
            shown["metrics"][0]["value"],
            len(evaluations),
            len(roles),
        )

    first = made("0.5", "consumer")
    made("0.75", "deployer")

    assert seen() == (0.75, 0.75, 2, 2)
    assert seen("--as-of", first) == (0.5, 0.5, 1, 1)
    assert cli("gate", "show", model, "--as-of", "1").status != 0


def test_the_moves_of_an_alias_tell_the_revisions_to_look_back_at(
    cli: CommandLine, model: str, file: Path, signature: str
) -> None:
    assert cli("push", model, str(file), "--signature", signature, "--publish").status == 0
    cli("alias", "set", f"{model}@champion", "1", "--expect", "0")
    (move,) = cli("alias", "log", f"{model}@champion", "-o", "json").json()

    shown = cli("alias", "log", f"{model}@champion").out

    assert f" {move['revision']} " in shown.splitlines()[1]
