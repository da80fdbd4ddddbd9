"""Pushes or pulls one file: ``push|pull TARGET PKI FROM TO``; ``bench_transfer.py`` runs it."""

import sys
import time
from pathlib import Path

from assay import TLS, Client


def main() -> None:
    """Move it, say how many seconds that took, and wait: the memory is read before the end."""
    verb, target, pki, source, to = sys.argv[1:]
    ca, cert, key = (Path(pki) / name for name in ("ca.pem", "admin.pem", "admin.key"))
    with Client(target, tls=TLS(ca=ca, cert=cert, key=key)) as client:
        begun = time.monotonic()
        if verb == "push":
            client.push(Path(source), to=to, publish=True, bump="patch", create=True)
        else:
            client.pull(source, to=Path(to))
        print(f"moved {time.monotonic() - begun:.3f}", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
