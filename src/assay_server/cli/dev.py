"""``assay-server dev``: a whole registry in a directory, with one certificate for each role."""

import getpass
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from assay import contexts
from assay_server.app.authority import DirectoryAuthority, LeafFiles
from assay_server.app.log import start_logging
from assay_server.app.rooms import CLOCK, IDS, Stores
from assay_server.app.running_loop import run
from assay_server.app.serving import Running, serve
from assay_server.config import Config
from assay_server.config.settings import (
    BlobsSection,
    IdentitySection,
    LogSection,
    OperationsSection,
    PagingSection,
    ServerSection,
    StoreSection,
    TlsSection,
)
from assay_server.domain.access import Role
from assay_server.services.founding import Founding
from assay_server.transport.interceptors.identifying import DEVELOPMENT_PRINCIPAL

TRUST_DOMAIN = "assay.local"
NAMESPACE = "main"
"""Made at the first start, so that a first push has somewhere to go."""

HOSTS = ("localhost", "127.0.0.1", "::1")
CONTEXT = "dev"


def principal(role: Role) -> str:
    """Who holds the certificate of ``role``."""
    return f"spiffe://{TRUST_DOMAIN}/dev/{role}"


def run_dev(
    directory: Path, port: int, *, operations_port: int, plaintext: bool, write_context: bool
) -> None:
    """Make what is missing in ``directory``, then serve until told to stop."""
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    authority = DirectoryAuthority(directory / "pki")
    leaves = {role: authority.client(role, principal(role)) for role in Role}
    config = _config(directory, port, operations_port, authority, plaintext=plaintext)
    start_logging(level=config.log.level, style=config.log.format)

    def on_ready(registry: Running) -> None:
        file = _write_contexts(directory, registry.target, authority, leaves, plaintext=plaintext)
        if write_context:
            _merge_context(file)
        _greet(directory, registry, plaintext=plaintext, is_merged=write_context)

    async def prepare(stores: Stores) -> None:
        founding = Founding(stores.facts, CLOCK, IDS, founder=f"local:{getpass.getuser()}")
        await founding.roles_everywhere({role: principal(role) for role in Role})
        if plaintext:
            await founding.roles_everywhere({Role.ADMIN: DEVELOPMENT_PRINCIPAL})
        await founding.namespace(NAMESPACE, description="For first steps.")

    run(serve(config, on_ready, prepare))


def _config(
    directory: Path,
    port: int,
    operations_port: int,
    authority: DirectoryAuthority,
    *,
    plaintext: bool,
) -> Config:
    server = authority.server(HOSTS)
    return Config(
        server=ServerSection(listen=f"127.0.0.1:{port}", plaintext_for_development=plaintext),
        tls=TlsSection(
            certificate=server.certificate,
            private_key=server.private_key,
            client_authorities=authority.certificate_file,
        ),
        identity=IdentitySection(trust_domains=(TRUST_DOMAIN,)),
        store=StoreSection(url=f"sqlite:///{directory / 'assay.db'}"),
        blobs=BlobsSection(directory=directory / "blobs"),
        operations=OperationsSection(listen=f"127.0.0.1:{operations_port}"),
        paging=PagingSection(key_file=directory / "page-token.key"),
        log=LogSection(format="text"),
        limits=replace(Config().limits, drain_notice_s=0.0, drain_grace_s=5.0),
    )


def _write_contexts(
    directory: Path,
    target: str,
    authority: DirectoryAuthority,
    leaves: dict[Role, LeafFiles],
    *,
    plaintext: bool,
) -> Path:
    """A contexts file with one context for each role; returns its path."""
    known = contexts.Contexts()
    for role, leaf in leaves.items():
        context = contexts.Context(target=target, namespace=NAMESPACE)
        if not plaintext:
            context = replace(
                context,
                ca=authority.certificate_file,
                cert=leaf.certificate,
                key=leaf.private_key,
            )
        known = known.with_context(role.value, context, current=role is Role.ADMIN)
    return contexts.save(known, directory / "contexts.toml")


def _merge_context(file: Path) -> None:
    """Make the admin's context ``dev`` of the person's own contexts, and the current one."""
    mine = contexts.load()
    context = contexts.load(file).get(Role.ADMIN.value)
    contexts.save(mine.with_context(CONTEXT, context, current=True))


def _greet(directory: Path, registry: Running, *, plaintext: bool, is_merged: bool) -> None:
    console = Console(highlight=False)
    shown = _shown(directory)
    who = DEVELOPMENT_PRINCIPAL if plaintext else principal(Role.ADMIN)
    how = "plaintext" if plaintext else f"mTLS, certificates in {shown}/pki"
    context = f"ASSAY_CONFIG={shown}/contexts.toml "
    first = "" if is_merged else context
    lines = [
        ("registry", f"{registry.target} ({how})"),
        ("you are", f"{who}, in the namespace {NAMESPACE}"),
        ("try", f"{first}assay whoami"),
        ("", f"{first}assay push {NAMESPACE}/hello README.md --create"),
        ("as others", f"{context}assay --context auditor whoami"),
        ("metrics", f"http://127.0.0.1:{registry.operations_port}/metrics"),
        ("kept in", f"{shown} (delete it to begin anew)"),
    ]
    console.print("[bold]Assay[/], a development server. Stop it with Ctrl-C.\n")
    for label, text in lines:
        console.print(f"  [dim]{label:<10}[/]", end="")
        console.print(text, markup=False, soft_wrap=True)
    console.print()
    # Programs wait for this line.
    print(f"ready {registry.target}", flush=True)


def _shown(directory: Path) -> str:
    """``directory`` as one would type it here."""
    here = Path.cwd()
    return str(directory.relative_to(here)) if directory.is_relative_to(here) else str(directory)
