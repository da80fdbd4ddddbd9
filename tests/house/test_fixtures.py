"""The plumbing that other tests stand on: a database each, and certificates wrong in one way."""

from collections.abc import Callable
from pathlib import Path

import asyncpg
from cryptography import x509

from tests.pki import Authority, Credentials
from tests.postgres import PostgresCluster


def uris(credentials: Credentials) -> list[str]:
    certificate = x509.load_pem_x509_certificate(credentials.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.UniformResourceIdentifier)


async def test_each_database_is_its_own_and_a_template_is_copied(
    postgres: PostgresCluster, create_database: Callable[..., str]
) -> None:
    first = create_database()
    connection = await asyncpg.connect(first)
    await connection.execute("create table notes (text text)")
    await connection.close()

    copy = await asyncpg.connect(create_database(template=first.rsplit("/", 1)[1]))
    empty = await asyncpg.connect(create_database())
    tables = "select count(*) from pg_tables where tablename = 'notes'"

    assert await copy.fetchval(tables) == 1
    assert await empty.fetchval(tables) == 0
    await copy.close()
    await empty.close()


def test_a_crashed_cluster_comes_back_with_what_was_committed(postgres_binaries: Path) -> None:
    cluster = PostgresCluster(postgres_binaries, durable=True)
    try:
        cluster.start()
        cluster.psql("create table notes as select 'kept' as text")

        cluster.crash()

        assert cluster.psql("select text from notes") == "kept"
    finally:
        cluster.stop()


def test_a_leaf_carries_exactly_the_uris_asked_for(authority: Authority) -> None:
    one = authority.issue_client("spiffe://assay.test/alice")
    two = authority.issue_client("spiffe://assay.test/alice", "spiffe://assay.test/bob")

    assert uris(one) == ["spiffe://assay.test/alice"]
    assert uris(two) == ["spiffe://assay.test/alice", "spiffe://assay.test/bob"]


def test_leaves_are_valid_expired_or_early_as_named(authority: Authority) -> None:
    uri = "spiffe://assay.test/alice"
    good = x509.load_pem_x509_certificate(authority.issue_client(uri).certificate)
    expired = x509.load_pem_x509_certificate(authority.issue_expired(uri).certificate)
    early = x509.load_pem_x509_certificate(authority.issue_not_yet_valid(uri).certificate)

    assert expired.not_valid_after_utc < early.not_valid_before_utc
    assert good.not_valid_before_utc < early.not_valid_before_utc < good.not_valid_after_utc
    assert expired.not_valid_after_utc < good.not_valid_after_utc


def test_a_leaf_of_another_authority_does_not_verify(
    authority: Authority, other_authority: Authority
) -> None:
    leaf = x509.load_pem_x509_certificate(
        other_authority.issue_client("spiffe://assay.test/mallory").certificate
    )
    ours = x509.load_pem_x509_certificate(authority.certificate)

    assert leaf.issuer != ours.subject
