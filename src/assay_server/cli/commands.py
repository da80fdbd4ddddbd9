"""Every command with its help; what they do lies in the modules beside this one.

Those are imported when they are asked for: help must not wait for gRPC and SQL.
"""

import os
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from assay_server.cli.failing import say, sentences
from assay_server.config import Config, ConfigError, read_config, reference, shown

EXAMPLES = """
[bold]Examples[/]

  [dim]# try it here, nothing needed[/]
  assay-server dev

  [dim]# make a real one, and serve it[/]
  assay-server init --directory /srv/assay --host registry.lab.example
  assay-server serve --config /srv/assay/config.toml
"""

app = typer.Typer(
    name="assay-server",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The Assay model registry: proves a model before it serves it.",
    epilog=EXAMPLES,
)
config_app = typer.Typer(
    no_args_is_help=True, help="Look at the settings: check them, show them, list them all."
)
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Settings in TOML; variables such as ASSAY__STORE__URL go before it.",
        dir_okay=False,
    ),
]


def main() -> None:
    """Run the command line."""
    app(prog_name="assay-server")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"assay-server {metadata.version('assay-registry-server')}")
        raise typer.Exit


@app.callback()
def _root(
    _version_asked: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    pass


@app.command()
def dev(
    *,
    directory: Annotated[
        Path, typer.Option(metavar="DIR", help="Where everything is kept.", file_okay=False)
    ] = Path(".assay/dev"),
    port: Annotated[
        int,
        typer.Option(metavar="PORT", help="For gRPC; 0 takes a free one."),
    ] = 8443,
    operations_port: Annotated[
        int,
        typer.Option(metavar="PORT", help="For metrics and health; 0 takes a free one."),
    ] = 0,
    context: Annotated[
        bool,
        typer.Option(
            help="Keep it as the context `dev` of `assay`, and make that the current one; "
            "--no-context leaves your contexts as they are."
        ),
    ] = True,
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="No TLS; everyone is admin. Loopback only.")
    ] = False,
) -> None:
    """Serve a registry of your own: SQLite, files, and a certificate for each role.

    All of it lies in one directory, and comes back at the next start.

    It listens on this machine only. The line "ready HOST:PORT" says when it serves.

    [bold]Examples[/]

      assay-server dev

      assay-server dev --directory /tmp/try --port 0 --no-context
    """
    with sentences():
        from assay_server.cli.dev import run_dev

        run_dev(
            directory,
            port,
            operations_port=operations_port,
            plaintext=plaintext,
            write_context=context,
        )


@app.command(name="serve")
def serve_command(config: ConfigOption = None) -> None:
    """Serve a registry until SIGTERM: then calls in flight finish and watches are told to resume.

    [bold]Example[/]: assay-server serve --config /etc/assay/config.toml
    """
    with sentences():
        settings = _servable_settings(config)
        from assay_server.cli.serve import run_server

        shown_by = "assay-server config show" + (f" --config {config}" if config else "")
        run_server(settings, shown_by=shown_by)


@app.command()
def init(
    *,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Make authority, certificates and settings here."),
    ] = None,
    config: ConfigOption = None,
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="By which clients reach the server; repeat for more."),
    ] = None,
    trust_domain: Annotated[
        str, typer.Option(metavar="DOMAIN", help="SPIFFE trust domain of the principals.")
    ] = "assay.local",
    admin: Annotated[
        str,
        typer.Option(
            metavar="PRINCIPAL", help="The first admin; by default spiffe://DOMAIN/admin."
        ),
    ] = "",
    store: Annotated[
        str,
        typer.Option(metavar="URL", help="Of the store; by default SQLite in the directory."),
    ] = "",
) -> None:
    """Make a new installation and its first admin. Refused when the registry has an admin.

    This opens the store itself: nobody becomes admin over the network.

    [bold]Examples[/]

      assay-server init --directory /srv/assay --host registry.lab.example

      assay-server init --config config.toml --admin spiffe://lab.example/ann
    """
    if (directory is None) == (config is None):
        say("give either --directory for a new installation, or --config for settings you have")
        raise typer.Exit(2)
    member = admin or f"spiffe://{trust_domain}/admin"
    with sentences():
        from assay_server.cli.init import Installation, bind_first_admin, install

        if directory is None:
            bind_first_admin(_settings(config), member)
            typer.echo(f"{member} administers the registry now")
            return
        wanted = Installation(directory.absolute(), tuple(host or ()), trust_domain, member, store)
        install(wanted)


@app.command()
def issue(
    principal: Annotated[
        str, typer.Argument(metavar="PRINCIPAL", help="For whom: spiffe://DOMAIN/people/NAME.")
    ],
    *,
    directory: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Of the installation, as `init` or `dev` made it."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="New directory to hand over.")],
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="Give it too, as admin, at the running server.")
    ] = "",
    on: Annotated[
        str,
        typer.Option("--on", metavar="WHERE", help="NAMESPACE or NAMESPACE/MODEL of the role."),
    ] = "",
    target: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="By which they reach it, if not as the admin does."),
    ] = "",
) -> None:
    r"""Make a certificate for a colleague, with the authority of the installation.

    Without --role nothing is visible to them until `assay role grant` gives them one.

    [bold]Example[/]:

      assay-server issue spiffe://lab.example/people/ann \
          --directory /srv/assay --to ann --role data-scientist --on vision
    """
    with sentences():
        from assay_server.cli.issue import Wanted, run_issue

        run_issue(Wanted(directory.absolute(), principal, to.absolute(), target, role, on))


@app.command()
def migrate(config: ConfigOption = None) -> None:
    """Bring the store's schema to this version. Safe to repeat.

    [bold]Example[/]: assay-server migrate --config /etc/assay/config.toml
    """
    with sentences():
        settings = _settings(config)
        from assay_server.cli.serve import run_migration

        run_migration(settings)
        typer.echo("the schema is that of this version")


DirectoryArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Directory of the backup.", file_okay=False)
]
CopyOption = Annotated[
    bool,
    typer.Option(
        "--copy", help="Copy every blob, also where a hard link would do: links share disk faults."
    ),
]


@app.command()
def backup(
    directory: DirectoryArgument, config: ConfigOption = None, copy: CopyOption = False
) -> None:
    """Copy the registry as it is at one revision, while servers go on working.

    DIR must not exist yet; it appears when the backup is whole. On the same file system blobs are
    hard links, which takes no space. Each one is hashed. Settings and certificates are not in it.

    [bold]Example[/]: assay-server backup /backups/2026-05-01 --config /etc/assay/config.toml
    """
    with sentences():
        settings = _settings_of_a_registry(config)
        from assay_server.cli.backup import run_backup

        run_backup(settings, directory, may_link=not copy)


@app.command()
def restore(
    directory: DirectoryArgument, config: ConfigOption = None, copy: CopyOption = False
) -> None:
    """Bring the registry of a backup to the store and the blobs directory that the settings name.

    Both must be empty. Everything is verified before it is used, and the facts come last: until
    then there is nothing that a server would open.

    [bold]Example[/]: assay-server restore /backups/2026-05-01 --config /etc/assay/config.toml
    """
    with sentences():
        settings = _settings_of_a_registry(config, may_be_here=False)
        from assay_server.cli.backup import run_restore

        run_restore(settings, directory, may_link=not copy)


@app.command()
def fsck(
    *,
    config: ConfigOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at the size of blobs, not at their bytes.")
    ] = False,
    output: Annotated[
        str, typer.Option(metavar="FORMAT", help="table, or json for programs.")
    ] = "table",
) -> None:
    """Check whether facts, bytes and audit trail agree. Changes nothing; servers may go on.

    Problems are promises that do not hold any more; notes are what a crash leaves behind by
    design. Exit status 1 when there is a problem.

    [bold]Examples[/]

      assay-server fsck --config /etc/assay/config.toml

      assay-server fsck --quick --output json
    """
    if output not in ("table", "json"):
        say("--output must be table or json")
        raise typer.Exit(2)
    with sentences():
        settings = _settings_of_a_registry(config)
        from assay_server.cli.fsck import run_fsck

        run_fsck(settings, is_hashed=not quick, as_json=output == "json")


@app.command()
def health(config: ConfigOption = None) -> None:
    """Ask a server on this machine whether it takes calls; for probes. Exit status 0 or 1.

    [bold]Example[/]: assay-server health --config /etc/assay/config.toml
    """
    with sentences():
        settings = _settings(config)
        from assay_server.cli.health import ask

        typer.echo(ask(settings.operations.listen))


@config_app.command()
def check(config: ConfigOption = None) -> None:
    """Look at the settings and their files as `serve` does, and say everything that is wrong.

    Exit status 0 or 2.

    [bold]Example[/]: assay-server config check --config /etc/assay/config.toml
    """
    with sentences():
        _servable_settings(config)
        typer.echo("the settings are fine: a server can start with them")


@config_app.command()
def show(config: ConfigOption = None) -> None:
    """Print the settings in force, secrets hidden.

    [bold]Example[/]: assay-server config show --config /etc/assay/config.toml
    """
    with sentences():
        typer.echo(shown(_settings(config)))


@config_app.command(name="reference")
def reference_command() -> None:
    """Print every setting with its default and its reason, ready to be a file.

    [bold]Example[/]: assay-server config reference > config.toml
    """
    typer.echo(reference())


def _settings(file: Path | None) -> Config:
    return read_config(file, os.environ)


def _settings_of_a_registry(file: Path | None, *, may_be_here: bool = True) -> Config:
    """Settings of a registry that somebody means; the defaults are of one in this directory."""
    is_named = file is not None or "ASSAY__STORE__URL" in os.environ
    if not is_named and not (may_be_here and Path("assay.db").exists()):
        raise ConfigError(
            (
                "which registry? Give its settings with --config FILE (those of a development "
                "server are in .assay/dev/config.toml), or variables such as ASSAY__STORE__URL",
            )
        )
    return _settings(file)


def _servable_settings(file: Path | None) -> Config:
    """Settings that a server can start with; the same for `serve` and `config check`."""
    settings = _settings(file)
    from assay_server.app.servable import require_servable

    require_servable(settings)
    return settings
