"""Metadata calls beside MLflow's registry, both on SQLite and both on PostgreSQL.

Both servers run in the same minutes on the same machine, and their runs alternate: first Assay,
then MLflow as it ships, then MLflow without the delayed-ACK wait of its HTTP stack. What is
printed is ratios with their spread; nothing here fails on a figure.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from metadata.assay_peer import AssayPeer  # noqa: E402
from metadata.load import OPERATIONS, READS, Peer, Run, Summary, ratios  # noqa: E402
from metadata.mlflow_peer import MlflowPeer, MlflowServer  # noqa: E402

from tests.postgres import PostgresCluster, find_binaries  # noqa: E402

MLFLOW = ROOT / ".bench-mlflow/bin/mlflow"
AIMS = {"MLflow": (20, 15), "MLflow, no delayed ACK": (12, 15)}
Runs = dict[tuple[str, int, str], list[Run]]


def main() -> None:
    """Measure on each kind of store, and print a table for each."""
    options = arguments()
    console = Console(width=max(110, Console().width) if not sys.stdout.isatty() else None)
    console.print(f"{os.cpu_count()} cores; each figure is the median of {options.rounds} runs")
    for store in options.stores:
        with ExitStack() as stack:
            peers = stack.enter_context(started(store, options))
            runs = measure(peers, options, console)
        console.print(table(store, runs, [peer.name for peer in peers], options.callers))


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--operations", nargs="+", default=OPERATIONS)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--versions", type=int, default=30, help="of each model")
    return parser.parse_args()


@contextmanager
def started(store: str, options: argparse.Namespace) -> Iterator[list[Peer]]:
    """Both registries, filled alike, on the same kind of database."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="assay-bench-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        ours, theirs = directory / "assay", directory / "mlflow"
        theirs.mkdir()
        urls = "", f"sqlite:///{theirs}/mlflow.db"
        if store == "postgresql":
            cluster = PostgresCluster(_binaries(), durable=True)
            stack.callback(cluster.stop)
            cluster.start()
            first, second = (cluster.url(cluster.create_database()) for _ in range(2))
            urls = first, second.replace("postgresql://", "postgresql+psycopg2://")
        size = {"models": options.models, "versions": options.versions}
        assay = AssayPeer(ours, urls[0], **size)
        stack.callback(assay.close)
        server = MlflowServer(_mlflow(), theirs, urls[1], **size)
        stack.callback(server.close)
        yield [
            assay,
            MlflowPeer(server, quick_ack=False),
            MlflowPeer(server, quick_ack=True),
        ]


def measure(peers: list[Peer], options: argparse.Namespace, console: Console) -> Runs:
    """Every operation under every load, the peers in turn."""
    runs: Runs = defaultdict(list)
    total = len(options.operations) * len(options.callers) * options.rounds * len(peers)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=total)
        for operation in options.operations:
            for callers in options.callers:
                for _ in range(options.rounds):
                    for peer in peers:
                        run = peer.run(operation, callers, options.seconds)
                        runs[operation, callers, peer.name].append(run)
                        progress.advance(task)
    return runs


def table(store: str, runs: Runs, names: list[str], loads: list[int]) -> Table:
    """One row for each operation and load: rates, latencies, and the ratios."""
    _, *others = names
    screen = Table(title=f"{store}: calls/s (p50, p99 in ms)", title_justify="left")
    for name in ("operation", "callers", *names):
        screen.add_column(name, justify="left" if name == "operation" else "right")
    for name in others:
        screen.add_column(f"over {name}", justify="right")
    for operation in dict.fromkeys(key[0] for key in runs):
        for callers in loads:
            each = [runs[operation, callers, name] for name in names]
            cells = [_rate(Summary.of(some)) for some in each]
            over = [
                _ratio(ratios(each[0], some), _aim(name, operation))
                for name, some in zip(others, each[1:], strict=True)
            ]
            screen.add_row(operation, str(callers), *cells, *over)
    return screen


def _rate(summary: Summary) -> str:
    return f"{summary.rate:,.0f} ({summary.p50_ms:.1f}, {summary.p99_ms:.1f})"


def _ratio(ratio: tuple[float, float, float], aim: int) -> str:
    middle, least, most = ratio
    mark = "" if middle >= aim else f" [dim](aim {aim})[/]"
    return f"[bold]{middle:.1f}×[/] {least:.1f}–{most:.1f}{mark}"


def _aim(name: str, operation: str) -> int:
    reads, writes = AIMS[name]
    return reads if operation in READS else writes


def _binaries() -> Path:
    found = find_binaries()
    if found is None:
        raise SystemExit("PostgreSQL is missing: install it, or ask for --stores sqlite")
    return found


def _mlflow() -> Path:
    if not MLFLOW.exists():
        raise SystemExit("MLflow is missing: `make bench-metadata` makes its environment")
    return MLFLOW


if __name__ == "__main__":
    main()
