"""``assay-server dev``: a whole registry in a directory, with one certificate for each role."""

import getpass
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from assay import contexts
from assay.errors import ContextInvalid
from assay_server.app.authority import DirectoryAuthority, LeafFiles
from assay_server.app.log import start_logging
from assay_server.app.rooms import CLOCK, IDS, Stores
from assay_server.app.running_loop import run
from assay_server.app.serving import Running, serve
from assay_server.config import Config, read_config
from assay_server.domain.access import Role
from assay_server.services.founding import Founding
from assay_server.transport.interceptors.identifying import DEVELOPMENT_PRINCIPAL

TRUST_DOMAIN = "assay.local"
NAMESPACE = "main"
"""Made at the first start, so that a first push has somewhere to go."""

HOSTS = ("localhost", "127.0.0.1", "::1")
CONTEXT = "dev"
RESERVE_BYTES = 1024 * 1024
"""Of the disk for the audit trail: there may be many such registries on one machine."""


def principal(role: Role) -> str:
    """Who holds the certificate of ``role``."""
    return f"spiffe://{TRUST_DOMAIN}/dev/{role}"


def run_dev(
    directory: Path, port: int, *, operations_port: int, plaintext: bool, write_context: bool
) -> None:
    """Make what is missing in ``directory``, then serve until told to stop.

    Raises:
        ContextInvalid: The contexts file of this user cannot be read, and is asked for.
    """
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    mine = _own_contexts(directory) if write_context else None
    authority = DirectoryAuthority(directory / "pki")
    authority.server(HOSTS)
    leaves = {role: authority.client(role, principal(role)) for role in Role}
    config = _config(directory, port, operations_port, plaintext=plaintext)
    start_logging(level=config.log.level, style=config.log.format)

    def on_ready(registry: Running) -> None:
        file = _write_contexts(directory, registry.target, authority, leaves, plaintext=plaintext)
        if mine is not None:
            context = contexts.load(file).get(Role.ADMIN.value)
            contexts.save(mine.with_context(CONTEXT, context, current=True))
        _greet(directory, registry, mine, plaintext=plaintext)

    async def prepare(stores: Stores) -> None:
        founding = Founding(stores.facts, CLOCK, IDS, founder=f"local:{getpass.getuser()}")
        await founding.roles_everywhere({role: principal(role) for role in Role})
        if plaintext:
            await founding.roles_everywhere({Role.ADMIN: DEVELOPMENT_PRINCIPAL})
        await founding.namespace(NAMESPACE, description="For first steps.")

    run(serve(config, on_ready, prepare))


def _own_contexts(directory: Path) -> contexts.Contexts | None:
    """The contexts of this user; None when they are those of the directory anyway."""
    file = contexts.default_path().absolute()
    if file == directory / "contexts.toml":
        return None
    try:
        return contexts.load(file)
    except ContextInvalid as problem:
        raise ContextInvalid(
            f"{problem.message} Mend or remove it, or leave it alone with --no-context."
        ) from None


def _config(directory: Path, port: int, operations_port: int, *, plaintext: bool) -> Config:
    """The settings, kept in a file so that `backup`, `fsck` and others can be pointed at it."""
    file = directory / "config.toml"
    draft = file.with_name(".config.toml")
    draft.write_text(
        f"""\
# Written anew by each `assay-server dev`; for `assay-server backup`, `fsck`, `issue`, ….
[server]
listen = "127.0.0.1:{port}"
plaintext_for_development = {str(plaintext).lower()}

[tls]
certificate = "pki/server.pem"
private_key = "pki/server.key"
client_authorities = "pki/ca.pem"

[identity]
trust_domains = ["{TRUST_DOMAIN}"]

[store]
audit_reserve_bytes = {RESERVE_BYTES}

[operations]
listen = "127.0.0.1:{operations_port}"

[log]
format = "text"

[limits]
drain_notice_s = 0.0
drain_grace_s = 5.0
"""
    )
    draft.replace(file)
    return read_config(file, {})


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


def _greet(
    directory: Path, registry: Running, before: contexts.Contexts | None, *, plaintext: bool
) -> None:
    """Say what there is and what was changed; ``before`` are the user's contexts until now."""
    console = Console(highlight=False)
    shown = _shown(directory)
    who = DEVELOPMENT_PRINCIPAL if plaintext else principal(Role.ADMIN)
    how = "plaintext" if plaintext else f"mTLS, certificates in {shown}/pki"
    context = f"ASSAY_CONFIG={shown}/contexts.toml "
    first = "" if before is not None else context
    lines = [
        ("registry", f"{registry.target} ({how})"),
        ("you are", f"{who}, in the namespace {NAMESPACE}"),
        ("try", f"{first}assay whoami"),
        ("", f"{first}assay push {NAMESPACE}/hello README.md --create"),
        ("as others", f"{context}assay --context auditor whoami"),
        ("metrics", f"http://127.0.0.1:{registry.operations_port}/metrics"),
        ("kept in", f"{shown} (delete it to begin anew)"),
        ("settings", f"{shown}/config.toml, for assay-server backup, fsck, issue"),
        *(_changed_contexts(before) if before is not None else ()),
    ]
    console.print("[bold]Assay[/], a development server. Stop it with Ctrl-C.\n")
    for label, text in lines:
        console.print(f"  [dim]{label:<10}[/]", end="")
        console.print(text, markup=False, soft_wrap=True)
    console.print()
    # Programs wait for this line.
    print(f"ready {registry.target}", flush=True)


def _changed_contexts(before: contexts.Contexts) -> Iterator[tuple[str, str]]:
    """What happened to the contexts of this user, and how it is undone."""
    file = str(contexts.default_path().absolute()).replace(str(Path.home()), "~", 1)
    yield "contexts", f"`{CONTEXT}` is the current one now, in {file}"
    if replaced := before.contexts.get(CONTEXT):
        yield "", f"(`{CONTEXT}` was {replaced.target} before)"
    undo = f"assay context rm {CONTEXT}"
    if before.current not in {"", CONTEXT}:
        undo = f"assay context use {before.current}"
    yield "", f"undo: {undo}; next time: --no-context"


def _shown(directory: Path) -> str:
    """``directory`` as one would type it here."""
    here = Path.cwd()
    return str(directory.relative_to(here)) if directory.is_relative_to(here) else str(directory)
