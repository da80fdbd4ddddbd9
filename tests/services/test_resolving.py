"""Resolving: every form of reference, read at one revision."""

import pytest

from assay_server.domain.bumps import Asked
from assay_server.domain.errors import NotFound, NothingResolves, VersionNotReady, VersionYanked
from assay_server.domain.references import parse_reference
from assay_server.services.resolving import Resolved
from tests.services.registry import MAX, Registry, again


async def resolved(registry: Registry, text: str) -> Resolved:
    return (await registry.resolving.resolve(parse_reference(text))).answer


@pytest.fixture
async def digits(registry: Registry) -> Registry:
    """1.0.0, then 1.0.1 as champion, then 1.1.0-rc.1, then a candidate."""
    await registry.ready("a")
    await registry.ready("b")
    await registry.point("champion", 2)
    await registry.publish(await registry.sealed("c"), Asked(semver="1.1.0-rc.1"))
    await registry.sealed("d")
    return registry


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("vision/digits/1", 1),
        ("vision/digits/4", 4),
        ("namespaces/vision/models/digits/versions/2", 2),
        ("namespaces/vision/models/digits/aliases/champion", 2),
        ("vision/digits@champion", 2),
        ("vision/digits@1.0.0", 1),
        ("vision/digits@1.1.0-rc.1", 3),
        ("vision/digits@^1.0", 2),
        ("vision/digits@~1.0", 2),
        ("vision/digits@latest", 3),
        ("vision/digits@greatest", 2),
    ],
)
async def test_a_reference_finds_its_version(digits: Registry, text: str, number: int) -> None:
    assert (await resolved(digits, text)).version.number == number


async def test_a_digest_finds_the_version_with_these_files(digits: Registry) -> None:
    version = (await resolved(digits, "vision/digits/2")).version

    found = await resolved(digits, f"vision/digits@{version.manifest.digest}")

    assert found.version.number == 2
    assert found.alias_ids == ("champion",)
    assert found.version.manifest.files


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("vision/digits/9", NotFound),
        ("vision/letters/1", NotFound),
        ("vision/digits@absent", NotFound),
        ("vision/digits@3.0.0", NothingResolves),
        ("vision/digits@^2", NothingResolves),
        ("vision/digits@sha256:" + "0" * 64, NothingResolves),
    ],
)
async def test_a_reference_to_nothing_says_so(
    digits: Registry, text: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await resolved(digits, text)


async def test_a_model_without_published_versions_has_no_latest(registry: Registry) -> None:
    await registry.sealed()

    with pytest.raises(NothingResolves, match="no version is READY; publish one first"):
        await resolved(registry, "vision/digits@latest")


async def test_what_is_deprecated_resolves_with_a_warning(registry: Registry) -> None:
    name = await registry.ready()
    await registry.versions.deprecate(again(MAX), name, "use 2", etag="")

    found = await resolved(registry, "vision/digits@^1")

    assert found.warnings == ("version 1 is deprecated: use 2",)


async def test_what_is_yanked_is_reached_by_pins_only(registry: Registry) -> None:
    name = await registry.ready()
    await registry.point("champion", name.number)
    await registry.versions.yank(again(MAX), name, "leaks", etag="")

    pinned = await resolved(registry, "vision/digits@1.0.0")

    assert pinned.warnings == ("version 1 was yanked: leaks",)
    with pytest.raises(VersionYanked, match="leaks"):
        await resolved(registry, "vision/digits@champion")
    with pytest.raises(NothingResolves):
        await resolved(registry, "vision/digits@greatest")


async def test_what_is_deleted_is_never_reached(registry: Registry) -> None:
    name = await registry.ready()
    await registry.versions.delete(again(MAX), name, "", etag="")

    with pytest.raises(VersionNotReady, match="is DELETED"):
        await resolved(registry, "vision/digits/1")
    with pytest.raises(NothingResolves):
        await resolved(registry, "vision/digits@latest")


async def test_the_answer_carries_the_revision_at_which_it_was_true(registry: Registry) -> None:
    await registry.ready("a")
    before = await registry.resolving.resolve(parse_reference("vision/digits@latest"))
    await registry.ready("b")

    after = await registry.resolving.resolve(parse_reference("vision/digits@latest"))

    assert after.revision > before.revision
    assert (before.answer.version.number, after.answer.version.number) == (1, 2)
