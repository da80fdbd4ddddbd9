"""The server's command line, run as people run it."""

import asyncio
import signal
import subprocess
from pathlib import Path

import grpc
import pytest

from assay import contexts
from assay.v1 import access_service_pb2, access_service_pb2_grpc
from assay_server.domain.access import Role
from tests.app.running import SERVER, Result, Run, Started, free_port, started


def who_am_i(file: Path, name: str) -> access_service_pb2.WhoAmIResponse:
    """Ask with the certificate of a context, as the client would."""
    context = contexts.load(file).get(name)
    assert context.ca is not None
    assert context.cert is not None
    assert context.key is not None
    credentials = grpc.ssl_channel_credentials(
        context.ca.read_bytes(), context.key.read_bytes(), context.cert.read_bytes()
    )
    with grpc.secure_channel(context.target, credentials) as channel:
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        return stub.WhoAmI(access_service_pb2.WhoAmIRequest(), timeout=10)


def test_dev_serves_a_registry_with_a_context_for_each_role_and_comes_back(
    tmp_path: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reg/contexts.toml"
    arguments = ("dev", "--directory", "reg", "--port", "0")
    theirs = contexts.Contexts().with_context("prod", contexts.Context(target="localhost:1"))
    contexts.save(theirs, tmp_path / ".config/assay/contexts.toml")

    with started(*arguments, home=tmp_path) as server:
        roles = {role: who_am_i(file, role.value) for role in Role}
        own = contexts.load(tmp_path / ".config/assay/contexts.toml")
        same_directory = run(*arguments)
        same_port = run("dev", "--directory", "two", "--port", server.target.rpartition(":")[2])
        checked = run("fsck", "--config", "reg/config.toml")
        status = server.stop()
    with started(*arguments, "--no-context", home=tmp_path) as again:
        answers = asyncio.run(_calls_during_stop(file, again))
        admin = contexts.load(file).get("admin")
        own_after = contexts.load(tmp_path / ".config/assay/contexts.toml")

    assert status == 0
    for role, answer in roles.items():
        assert answer.principal == f"spiffe://assay.local/dev/{role}"
        assert len(answer.role_bindings) == 1
    assert (own.current, own.get().target, own.get().namespace) == ("dev", server.target, "main")
    assert same_directory.status == same_port.status == 1
    assert "another server has" in same_directory.output
    assert "cannot listen on 127.0.0.1:" in same_port.output
    assert "another program listens there" in same_port.output
    assert "add_port" not in capfd.readouterr().err  # the core's own words
    told = "".join(server.said)
    assert "`dev` is the current one now, in ~/.config/assay/contexts.toml" in told
    assert "undo: assay context use prod; next time: --no-context" in told
    assert "context use" not in "".join(again.said)
    assert checked.status == 0
    assert admin.target == again.target
    assert own_after == own
    # The first call was answered before the signal; none after it hangs or breaks.
    assert answers[0] == grpc.StatusCode.OK
    assert set(answers) <= {
        grpc.StatusCode.OK,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
    }


def test_dev_in_plaintext_makes_everyone_the_same_principal(tmp_path: Path) -> None:
    arguments = ("dev", "--directory", "reg", "--port", "0", "--plaintext", "--no-context")
    with (
        started(*arguments, home=tmp_path) as server,
        grpc.insecure_channel(server.target) as channel,
    ):
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        answer = stub.WhoAmI(access_service_pb2.WhoAmIRequest(), timeout=10)

    assert answer.principal == "dev:local"
    assert not answer.HasField("certificate_expire_time")
    assert not (tmp_path / ".config").exists()


def test_what_the_server_makes_is_its_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    program = (
        f"umask 000; {SERVER} init --directory inst && {SERVER} backup kept -c inst/config.toml"
    )

    done = subprocess.run(["sh", "-c", program], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    made = [path for place in ("inst", "kept") for path in (tmp_path / place).rglob("*")]
    assert tmp_path / "inst/audit.db" in made
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_init_makes_an_installation_that_serves_its_one_first_admin(
    tmp_path: Path, run: Run
) -> None:
    config, file = tmp_path / "inst/config.toml", tmp_path / "inst/contexts.toml"

    made = run("init", "--directory", "inst", "--trust-domain", "lab.example")
    again = run("init", "--directory", "inst", "--trust-domain", "lab.example")
    takeover = run("init", "--config", str(config), "--admin", "spiffe://lab.example/mallory")
    port = free_port()
    config.write_text(
        config.read_text().replace(":8443", ":0") + f'[operations]\nlisten = "127.0.0.1:{port}"\n'
    )
    before = run("health", "--config", str(config))
    with started("serve", "--config", str(config), home=tmp_path) as server:
        during = run("health", "--config", str(config))
        file.write_text(file.read_text().replace("localhost:8443", server.target))
        admin = who_am_i(file, "admin")
        status = server.stop()

    assert made.status == 0
    assert "assay-server serve --config" in made.output
    assert again.status == takeover.status == 1
    assert "config.toml is there already" in again.output
    assert "has an admin already: spiffe://lab.example/admin" in takeover.output
    assert (before.status, during.status, during.output.strip()) == (1, 0, "ready")
    assert admin.principal == "spiffe://lab.example/admin"
    assert [binding.role for binding in admin.role_bindings] == [1]
    assert status == 0
    began = "".join(server.said)
    assert "assay-server config show --config" in began
    assert f'"operations.listen":"\\"127.0.0.1:{port}\\""' in began
    assert "connection_idle_s" not in began  # as many settings as were changed


def test_settings_that_are_wrong_end_with_status_2_and_every_problem(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "config.toml").write_text("[log]\nlevel = 'loud'\n")

    result = run("config", "check", "--config", "config.toml", ASSAY__LIMITS__X="1")

    assert result.status == 2
    assert "log.level must be one of debug, info, warning, error" in result.output
    assert "ASSAY__LIMITS__X is not a setting" in result.output


def test_dev_says_what_is_wrong_with_the_contexts_before_it_serves(
    tmp_path: Path, run: Run
) -> None:
    file = tmp_path / ".config/assay/contexts.toml"
    file.parent.mkdir(parents=True)
    file.write_text("current = ")

    result = run("dev", "--port", "0")

    assert result.status == 1
    assert f"error: {file} cannot be read" in result.output
    assert "--no-context" in result.output
    assert not (tmp_path / ".assay/dev/assay.db").exists()


def test_settings_can_be_shown(run: Run) -> None:
    shown = run("config", "show", ASSAY__STORE__URL="postgresql://a:hunter2@h/d")
    listed = run("config", "reference")

    assert (shown.status, listed.status) == (0, 0)
    assert "hunter2" not in shown.output
    assert "message_bytes_max = 4194304" in listed.output


@pytest.mark.parametrize("command", [("serve",), ("config", "check")])
def test_what_a_server_cannot_start_with_is_said_by_serve_and_by_check(
    tmp_path: Path, run: Run, command: tuple[str, ...]
) -> None:
    (tmp_path / "denied").write_text("nonsense\n")
    (tmp_path / "page-token.key").write_text("short\n")

    without = run(*command)
    unusable = run(
        *command,
        ASSAY__TLS__CERTIFICATE="server.pem",
        ASSAY__TLS__PRIVATE_KEY="server.key",
        ASSAY__TLS__CLIENT_AUTHORITIES="ca.pem",
        ASSAY__IDENTITY__DENY_FILE="denied",
    )

    assert (without.status, unusable.status) == (2, 2)
    assert "assay-server init" in without.output
    assert "server.pem cannot be read: No such file" in unusable.output
    assert "denied: " in unusable.output
    assert "page-token.key must hold at least 64 hex digits" in unusable.output


def test_settings_that_a_server_can_start_with_are_fine(tmp_path: Path, run: Run) -> None:
    run("init", "--directory", "inst")

    checked = run("config", "check", "--config", "inst/config.toml")

    assert checked == Result(0, "the settings are fine: a server can start with them\n")
    assert not (tmp_path / "inst/page-token.key").exists()


def test_an_init_without_a_place_says_what_to_give(run: Run) -> None:
    result = run("init")

    assert result.status == 2
    assert "--directory for a new installation" in result.output


def test_migrating_is_safe_to_repeat(tmp_path: Path, run: Run) -> None:
    url = f"sqlite:///{tmp_path}/assay.db"

    first = run("migrate", ASSAY__STORE__URL=url)
    second = run("migrate", ASSAY__STORE__URL=url)

    assert first == second == Result(0, "the schema is that of this version\n")


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["dev"],
        ["serve"],
        ["init"],
        ["issue"],
        ["migrate"],
        ["health"],
        ["config"],
        ["config", "check"],
    ],
)
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    result = run(*command, "--help")

    assert result.status == 0
    if command != ["config"]:
        assert "Example" in result.output


async def _calls_during_stop(file: Path, server: Started) -> list[grpc.StatusCode]:
    context = contexts.load(file).get("admin")
    assert context.ca is not None
    assert context.cert is not None
    assert context.key is not None
    credentials = grpc.ssl_channel_credentials(
        context.ca.read_bytes(), context.key.read_bytes(), context.cert.read_bytes()
    )
    async with grpc.aio.secure_channel(context.target, credentials) as channel:
        stub = access_service_pb2_grpc.AccessServiceStub(channel)
        answers = [await stub.WhoAmI(access_service_pb2.WhoAmIRequest(), timeout=10).code()]
        server.process.send_signal(signal.SIGTERM)
        calls = [stub.WhoAmI(access_service_pb2.WhoAmIRequest(), timeout=10) for _ in range(20)]
        return answers + [await call.code() for call in calls]
