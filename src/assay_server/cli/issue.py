"""``assay-server issue``: a certificate for a colleague, in a directory to hand over."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from rich.console import Console

from assay import Client, contexts
from assay.errors import AssayError
from assay_server.access.identities import (
    CertificateNames,
    IdentityRule,
    NameSource,
    principal_of,
)
from assay_server.app.authority import DirectoryAuthority
from assay_server.config import Config, ConfigError, read_config
from assay_server.domain.access import Role
from assay_server.domain.errors import Unauthenticated

CONTEXT = "registry"
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom, and where it goes. An empty ``role`` gives none, an empty ``scope`` everything."""

    installation: Path
    principal: str
    directory: Path
    target: str
    role: str
    scope: str


class NotGranted(Exception):
    """The certificate is made, but the role was not given; the text says what to do."""


def run_issue(wanted: Wanted) -> None:
    """Make the directory, give the role, say what to do with both.

    Raises:
        ContextInvalid: The installation has no context of its admin, and no target is given.
        ConfigError: There is no authority, or the server would not accept the principal.
        FileExistsError: The directory is there already.
        NotGranted: The server refused, or did not answer.
    """
    pki, file = wanted.installation / "pki", wanted.installation / "config.toml"
    _require(pki, read_config(file, os.environ), wanted)
    target = wanted.target or _admin(wanted).target
    authority = DirectoryAuthority(pki)
    wanted.directory.parent.mkdir(parents=True, exist_ok=True)
    wanted.directory.mkdir(mode=0o700)
    leaf = authority.issue(wanted.directory, "client", wanted.principal)
    (wanted.directory / "ca.pem").write_bytes(authority.certificate_file.read_bytes())
    context = contexts.Context(
        target=target,
        ca=wanted.directory / "ca.pem",
        cert=leaf.certificate,
        key=leaf.private_key,
        namespace=wanted.scope.partition("/")[0],
    )
    known = contexts.Contexts().with_context(CONTEXT, context, current=True)
    contexts.save(known, wanted.directory / "contexts.toml")
    _explain(wanted, target, x509.load_pem_x509_certificate(leaf.certificate.read_bytes()))
    if wanted.role:
        _grant(wanted)


def _require(pki: Path, config: Config, wanted: Wanted) -> None:
    if not (pki / "ca.key").exists():
        raise ConfigError(
            (
                f"{pki / 'ca.key'} is not there: this works with the authority that "
                "`assay-server init` or `dev` made. With one of your own, sign a client "
                f"certificate with the single URI {wanted.principal}",
            )
        )
    rule = IdentityRule(
        source=NameSource(config.identity.source),
        trust_domains=frozenset(config.identity.trust_domains),
    )
    try:
        principal_of(CertificateNames(uris=(wanted.principal,)), rule)
    except Unauthenticated as problem:
        raise ConfigError((f"the server would refuse it: {problem}",)) from None
    if wanted.role and wanted.role not in list(Role):
        raise ConfigError((f"--role must be one of {', '.join(Role)}, not {wanted.role}",))
    if wanted.directory.exists():
        raise FileExistsError(f"{wanted.directory} is there already: name a new directory")


def _admin(wanted: Wanted) -> contexts.Context:
    return contexts.load(wanted.installation / "contexts.toml").get(ADMIN)


def _grant(wanted: Wanted) -> None:
    """Ask the running server, as the installation's admin: so it is authorized and on record."""
    command = _grant_command(wanted, wanted.role, wanted.scope)
    try:
        admin = _admin(wanted)
        with Client(admin.target, tls=admin.tls) as client:
            client.create_role_binding(wanted.scope, role=wanted.role, member=wanted.principal)
    except AssayError as problem:
        raise NotGranted(
            f"the certificate is made, but the role is not given: {problem.message} "
            f"Later: {command}"
        ) from None
    Console(highlight=False).print(f"{wanted.role} {_where(wanted)} now.", soft_wrap=True)


def _where(wanted: Wanted) -> str:
    return f"in {wanted.scope}" if wanted.scope else "everywhere"


def _grant_command(wanted: Wanted, role: str, scope: str) -> str:
    place = wanted.installation / "contexts.toml"
    return f"ASSAY_CONFIG={place} assay role grant {role} {wanted.principal} {scope}".rstrip()


def _explain(wanted: Wanted, target: str, certificate: x509.Certificate) -> None:
    console = Console(highlight=False)
    lines = [
        ("for", wanted.principal),
        ("server", target),
        ("expires", f"{certificate.not_valid_after_utc:%Y-%m-%d}; then issue another"),
        ("serial", f"{certificate.serial_number:x}, to deny it: docs/operations.md"),
        ("hand over", f"{wanted.directory}: it has the private key, so over a safe way"),
        ("they type", f"ASSAY_CONFIG={wanted.directory.name}/contexts.toml assay whoami"),
    ]
    if not wanted.role:
        lines.append(("give a role", _grant_command(wanted, "data-scientist", "[NAMESPACE]")))
    for label, text in lines:
        console.print(f"  [dim]{label:<12}[/]", end="")
        console.print(text, markup=False, soft_wrap=True)
