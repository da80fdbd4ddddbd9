"""``assay-server init``: a new installation, and who administers it first."""

import getpass
import json
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from rich.console import Console

from assay import contexts
from assay_server.app.authority import DirectoryAuthority
from assay_server.app.log import start_logging
from assay_server.app.rooms import CLOCK, IDS
from assay_server.app.running_loop import run
from assay_server.app.stores import open_stores
from assay_server.config import Config, read_config
from assay_server.services.founding import Founding

CONFIG_FILE = "config.toml"


@dataclass(frozen=True, slots=True)
class Installation:
    """What to make. An empty ``store_url`` stands for SQLite in the directory."""

    directory: Path
    hosts: tuple[str, ...]
    trust_domain: str
    admin: str
    store_url: str


def install(wanted: Installation) -> None:
    """Make authority, certificates, settings, store and first admin.

    Raises:
        FileExistsError: There is an installation in the directory.
        AlreadyFounded: The store has an admin.
    """
    file = wanted.directory / CONFIG_FILE
    if file.exists():
        raise FileExistsError(f"{file} is there already: use --config {file}")
    wanted.directory.mkdir(parents=True, exist_ok=True)
    authority = DirectoryAuthority(wanted.directory / "pki")
    authority.server(("localhost", "127.0.0.1", *wanted.hosts))
    admin = authority.client("admin", wanted.admin)
    settings = _settings(wanted)
    draft = file.with_name(f".{CONFIG_FILE}")
    draft.write_text(settings)
    bind_first_admin(read_config(draft, {}), wanted.admin)
    draft.replace(file)
    target = f"{(wanted.hosts or ('localhost',))[0]}:8443"
    context = contexts.Context(
        target=target, ca=authority.certificate_file, cert=admin.certificate, key=admin.private_key
    )
    known = contexts.Contexts().with_context("admin", context, current=True)
    contexts.save(known, wanted.directory / "contexts.toml")
    _explain(wanted, file)


def bind_first_admin(config: Config, member: str) -> None:
    """Open the store and make ``member`` its first admin.

    Raises:
        AlreadyFounded: It has one.
        InvalidField: ``member`` cannot be a principal.
    """
    start_logging(level="warning", style="text")
    run(_bind(config, member))


async def _bind(config: Config, member: str) -> None:
    async with open_stores(config, CollectorRegistry()) as stores:
        founder = f"local:{getpass.getuser()}"
        await Founding(stores.facts, CLOCK, IDS, founder=founder).first_admin(member)


def _settings(wanted: Installation) -> str:
    listen = "0.0.0.0:8443" if wanted.hosts else "127.0.0.1:8443"
    return f"""\
# Made by `assay-server init`; `assay-server config reference` explains every setting.
[server]
listen = "{listen}"

[tls]
certificate = "pki/server.pem"
private_key = "pki/server.key"
client_authorities = "pki/ca.pem"

[identity]
trust_domains = [{json.dumps(wanted.trust_domain)}]

[store]
url = {json.dumps(wanted.store_url or "sqlite:///assay.db")}

[blobs]
directory = "blobs"
"""


def _explain(wanted: Installation, file: Path) -> None:
    console = Console(highlight=False)
    console.print("[bold]Done.[/] Next:\n")
    for label, text in (
        ("serve", f"assay-server serve --config {file}"),
        ("be admin", f"ASSAY_CONFIG={wanted.directory}/contexts.toml assay whoami"),
        ("keep safe", f"{wanted.directory}/pki/ca.key: who has it can be anyone"),
    ):
        console.print(f"  [dim]{label:<10}[/]", end="")
        console.print(text, markup=False, soft_wrap=True)
