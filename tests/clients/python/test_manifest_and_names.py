"""What the client works out by itself: digests, paths, and short names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import errors, names
from assay.manifest import colliding, manifest_digest, path_problem
from assay.v1.file_pb2 import File
from assay_server.domain import errors as server_errors
from assay_server.domain import manifest as server_manifest
from assay_server.domain import paths as server_paths

HELLO = File(
    path="a.txt",
    size_bytes=6,
    digest="sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
    media_type="text/plain",
)


def test_the_digest_of_a_manifest_is_the_documented_one() -> None:
    assert manifest_digest([HELLO]) == (
        "sha256:4bc3165fa1188a6769695faa74686eac1c9c72e9c687b6b81788e89f31efef85"
    )


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.builds(
            lambda path, size, media_type: File(
                path=path, size_bytes=size, digest=HELLO.digest, media_type=media_type, role="x"
            ),
            st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,8}", fullmatch=True),
            st.integers(0, 2**53 - 1),
            st.from_regex(r"[a-z]{1,5}/[a-z0-9+.-]{1,5}", fullmatch=True),
        ),
        max_size=5,
    )
)
def test_client_and_server_name_the_same_content_alike(files: list[File]) -> None:
    theirs = [
        server_manifest.File(
            file.path,
            file.size_bytes,
            file.digest.removeprefix("sha256:"),
            file.media_type,
            file.role,
        )
        for file in files
    ]

    try:
        expected = server_manifest.build_manifest(theirs).digest
    except (server_errors.InvalidPath, server_errors.DuplicatePath, server_errors.InvalidField):
        return
    assert manifest_digest(reversed(files)) == expected


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="aA./\\_-é:\x00 ", max_size=6),
            st.sampled_from(["..", ".", "", "con", "NUL.txt", "com1", "x" * 128, "x" * 129]),
        ),
        min_size=1,
        max_size=18,
    )
)
def test_client_and_server_refuse_the_same_paths(components: list[str]) -> None:
    path = "/".join(components)

    try:
        server_paths.require_path(path)
        is_refused = False
    except server_errors.InvalidPath:
        is_refused = True

    assert bool(path_problem(path)) == is_refused


@pytest.mark.parametrize("paths", [("a", "A"), ("a", "a/b"), ("A/b", "a"), ("x/ſ", "x/S")])
def test_paths_that_some_file_system_takes_for_the_same_collide(paths: tuple[str, str]) -> None:
    assert colliding(paths)
    assert not colliding(["a/b", "a/c", "b"])


@pytest.mark.parametrize(
    ("text", "namespace", "name"),
    [
        ("vision/digits", "", "namespaces/vision/models/digits"),
        ("digits", "vision", "namespaces/vision/models/digits"),
        ("nlp/digits", "vision", "namespaces/nlp/models/digits"),
        ("namespaces/a/models/b", "", "namespaces/a/models/b"),
    ],
)
def test_a_model_by_its_short_name(text: str, namespace: str, name: str) -> None:
    assert names.model_name(text, namespace) == name


@pytest.mark.parametrize("text", ["digits", "", "a/b/c", "A/b", "vision/digits@champion", "../x"])
def test_what_is_no_model_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(errors.InvalidName, match="vision/"):
        names.model_name(text)


@pytest.mark.parametrize(
    ("text", "namespace", "name"),
    [
        ("vision/digits/7", "", "namespaces/vision/models/digits/versions/7"),
        ("digits/7", "vision", "namespaces/vision/models/digits/versions/7"),
        ("namespaces/a/models/b/versions/3", "", "namespaces/a/models/b/versions/3"),
        ("vision/digits@champion", "", None),
        ("digits@1.4.2", "vision", None),
    ],
)
def test_a_version_by_its_number_needs_no_question(
    text: str, namespace: str, name: str | None
) -> None:
    assert names.version_name(text, namespace) == name


@pytest.mark.parametrize(
    ("text", "namespace", "expected"),
    [
        ("vision/digits@champion", "", "vision/digits@champion"),
        ("digits@^1.4", "vision", "vision/digits@^1.4"),
        ("digits/7", "vision", "vision/digits/7"),
        ("vision/digits/7", "nlp", "vision/digits/7"),
        ("namespaces/a/models/b/aliases/c", "", "namespaces/a/models/b/aliases/c"),
    ],
)
def test_a_reference_gets_its_namespace(text: str, namespace: str, expected: str) -> None:
    assert names.reference(text, namespace) == expected


@pytest.mark.parametrize("text", ["vision/digits", "digits@champion", "digits/7", ""])
def test_a_reference_that_says_too_little_is_refused(text: str) -> None:
    with pytest.raises((errors.InvalidReference, errors.InvalidName)):
        names.reference(text)


def test_an_alias_and_a_gate_by_their_short_names() -> None:
    alias = names.alias_name("vision/digits@champion")

    assert alias == "namespaces/vision/models/digits/aliases/champion"
    assert names.gate_name("vision", "publish") == "namespaces/vision/gates/publish"
    assert names.gate_name("vision/digits", "publish").endswith("models/digits/gates/publish")
    with pytest.raises(errors.InvalidName, match="champion"):
        names.alias_name("vision/digits")


@pytest.mark.parametrize(
    "text", ["vision", "vision/digits", "vision/digits/7", "vision/digits@champion"]
)
def test_short_names_come_back(text: str) -> None:
    name = (
        names.alias_name(text)
        if "@" in text
        else names.version_name(text) or names.scope_name(text)
    )

    assert names.short(name) == text
