"""Settings: where they come from, and that a wrong one is named with what was expected."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from assay_server.config import Config, ConfigError, read_config, reference, shown
from assay_server.config.showing import HIDDEN


def written(directory: Path, text: str) -> Path:
    file = directory / "config.toml"
    file.write_text(text)
    return file


def problems(directory: Path, text: str, **environment: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        read_config(written(directory, text), environment)
    return refused.value.problems


def test_nothing_given_means_every_default() -> None:
    assert read_config(None, {}) == Config()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, '[log]\nlevel = "warning"\nformat = "text"\n')

    config = read_config(file, {"ASSAY__LOG__LEVEL": "error", "HOME": "/root"})

    assert (config.log.level, config.log.format) == ("error", "text")


def test_every_type_can_come_from_the_environment() -> None:
    config = read_config(
        None,
        {
            "ASSAY__SERVER__PLAINTEXT_FOR_DEVELOPMENT": "Yes",
            "ASSAY__LIMITS__WATCHES_MAX": "7",
            "ASSAY__LIMITS__DRAIN_GRACE_S": "1.5",
            "ASSAY__TLS__CERTIFICATE": "/etc/server.pem",
            "ASSAY__IDENTITY__TRUST_DOMAINS": "lab.example, other.example",
        },
    )

    assert config.server.plaintext_for_development is True
    assert config.limits.watches_max == 7
    assert config.limits.drain_grace_s == 1.5
    assert config.tls.certificate == Path("/etc/server.pem")
    assert config.identity.trust_domains == ("lab.example", "other.example")


def test_relative_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '[tls]\ncertificate = "pki/server.pem"\nprivate_key = "/abs/key.pem"\n'
        '[store]\nurl = "sqlite:///assay.db"\n',
    )

    config = read_config(file, {})

    assert config.tls.certificate == tmp_path / "pki/server.pem"
    assert config.tls.private_key == Path("/abs/key.pem")
    assert config.store.url == f"sqlite:///{tmp_path}/assay.db"


def test_what_a_file_leaves_out_is_beside_it_too(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, '[log]\nlevel = "info"\n'), {})

    assert config.paging.key_file == tmp_path / "page-token.key"
    assert config.blobs.directory == tmp_path / "blobs"
    assert config.store.url == f"sqlite:///{tmp_path}/assay.db"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[limits]\nwatches_max = 'many'", "limits.watches_max must be a whole number"),
        ("[limits]\nwatches_max = true", "limits.watches_max must be a whole number, but is True"),
        ("[limits]\nwatches_max = 0", "limits.watches_max must be at least 1, but is 0"),
        ("[limits]\ndrain_grace_s = nan", "limits.drain_grace_s must be a finite number"),
        ("[log]\nlevel = 'loud'", "log.level must be one of debug, info, warning, error"),
        ("[log]\nlevle = 'info'", "log.levle is not a setting; did you mean log.level?"),
        ("[lgo]\nlevel = 'info'", "[lgo] is not a section; did you mean [log]?"),
        ("log = 3", "log must be a section, written [log]"),
        ("[server]\nlisten = '0.0.0.0'", "server.listen must be host:port, but is '0.0.0.0'"),
        ("[server]\nlisten = 'h:70000'", "server.listen must be host:port, but is 'h:70000'"),
        ("[server]\nlisten = ''", "server.listen must be host:port, but is empty"),
        ("[identity]\ntrust_domains = [1]", "identity.trust_domains must be a list of texts"),
        ("[store]\nurl = 'mysql://x'", "store.url must begin with sqlite:/// or postgresql://"),
        ("[paging]\nkey = 'abcd'", "paging.key must be at least 64 hex digits"),
        (
            "[server]\nlisten = '0.0.0.0:1'\nplaintext_for_development = true",
            "server.plaintext_for_development must be false unless server.listen is a loopback",
        ),
        (
            "[limits]\nmessage_bytes_max = 4000000\ntransport_message_bytes_max = 3000000",
            "limits.transport_message_bytes_max must be at least limits.message_bytes_max",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    tmp_path: Path, text: str, problem: str
) -> None:
    [found] = problems(tmp_path, text)

    assert found.startswith(problem)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path, "[log]\nlevel = 'loud'\n[limits]\nwatches = 1", ASSAY__LOG__FORMT="x"
    )

    assert len(found) == 3
    assert "ASSAY__LOG__FORMT is not a setting; did you mean ASSAY__LOG__FORMAT?" in found


def test_a_wrong_value_of_the_environment_is_named_as_it_is_spelled_there(tmp_path: Path) -> None:
    [found] = problems(tmp_path, "", ASSAY__LIMITS__WATCHES_MAX="many")

    assert found == "ASSAY__LIMITS__WATCHES_MAX must be a whole number, but is 'many'"


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml cannot be read: No such file"):
        read_config(tmp_path / "absent.toml", {})
    with pytest.raises(ConfigError, match=r"config\.toml is not TOML: .*line 1"):
        read_config(written(tmp_path, "[log\n"), {})


def test_what_is_shown_hides_secrets() -> None:
    config = read_config(
        None,
        {
            "ASSAY__STORE__URL": "postgresql://assay:hunter2@db/assay",
            "ASSAY__PAGING__KEY": "5e" * 32,
        },
    )

    text = shown(config)

    assert "hunter2" not in text
    assert "5e5e" not in text
    assert f"postgresql://assay:{HIDDEN}@db/assay" in text


def test_the_reference_lists_every_setting_with_a_reason_and_can_be_used_as_a_file(
    tmp_path: Path,
) -> None:
    text = reference()

    config = read_config(written(tmp_path, text), {})
    assert config.limits == Config().limits
    assert config.log == Config().log
    for section in fields(Config):
        for place in fields(type(getattr(Config(), section.name))):
            assert place.metadata["reason"] in text
            assert place.metadata["reason"].endswith((".", "wanted"))


def test_limits_end_in_their_unit() -> None:
    units = ("_bytes_max", "_bytes", "_s", "_max", "_min")
    names = [place.name for place in fields(type(Config().limits))]

    assert all(name.endswith(units) for name in names)


def test_what_is_shown_reads_back_the_same(tmp_path: Path) -> None:
    assert set(tomllib.loads(shown(Config()))) == {section.name for section in fields(Config)}
