"""Whether a server could start with the settings: asked by `serve` and by `config check` alike."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from assay_server.app.page_key import UnusableKey, page_key
from assay_server.app.tracing import ExporterMissing, exporter_type
from assay_server.config import Config, ConfigError
from assay_server.transport.deny_file import DenyFile, UnusableDenyFile
from assay_server.transport.tls import TlsFiles, UnusableCertificate


def require_servable(config: Config) -> None:
    """Look at the files that a server needs besides its stores. Makes nothing.

    Raises:
        ConfigError: Something is missing or unusable; it names everything that is.
    """
    problems: list[str] = []
    for look in (_look_at_tls, _look_at_deny_file, _look_at_page_key, _look_at_tracing):
        problems += _problems_of(look, config)
    if problems:
        raise ConfigError(tuple(problems))


def tls_files(config: Config) -> TlsFiles:
    """The files of ``[tls]``.

    Raises:
        UnusableCertificate: One is not named.
    """
    tls = config.tls
    if not (tls.certificate and tls.private_key and tls.client_authorities):
        raise UnusableCertificate(
            "tls.certificate, tls.private_key and tls.client_authorities must be set: give your "
            "settings with --config; `assay-server init --directory DIR` makes settings and files"
        )
    return TlsFiles(tls.certificate, tls.private_key, tls.client_authorities)


def _problems_of(look: Callable[[Config], None], config: Config) -> list[str]:
    try:
        look(config)
    except (UnusableCertificate, UnusableDenyFile, UnusableKey, ExporterMissing) as problem:
        return [str(problem)]
    return []


def _look_at_tls(config: Config) -> None:
    if not config.server.plaintext_for_development:
        tls_files(config).load()


def _look_at_deny_file(config: Config) -> None:
    DenyFile(config.identity.deny_file, CollectorRegistry(), lambda _: None)


def _look_at_page_key(config: Config) -> None:
    if config.paging.key or config.paging.key_file.exists():
        page_key(config.paging)


def _look_at_tracing(config: Config) -> None:
    if config.tracing.otlp_endpoint:
        exporter_type()
