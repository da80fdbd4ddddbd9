"""Values as people read them, and messages as programs read them."""

import datetime as dt

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from assay.cli import wording
from assay.plain import plain
from assay.v1.model_pb2 import Model
from assay.v1.version_pb2 import ModelVersion, VersionState


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1234, "1.23 kB"),
        (123_456, "123 kB"),
        (999_600, "1 MB"),
        (5_000_000_000, "5 GB"),
        (7 * 10**18, "7000 PB"),
    ],
)
def test_sizes_are_decimal_with_three_digits(size_bytes: int, words: str) -> None:
    assert wording.size(size_bytes) == words


def test_principals_in_a_column_are_as_short_as_they_can_be_told_apart() -> None:
    ada, eve = "spiffe://acme/team/ada", "spiffe://acme/team/eve"
    other = "spiffe://other/team/eve"

    assert wording.people([ada, eve]) == {ada: "ada", eve: "eve"}
    assert wording.people([ada, eve, other]) == {
        ada: "ada", eve: "acme/team/eve", other: "other/team/eve",
    }  # fmt: skip
    assert wording.people(["", "plain"]) == {"": "", "plain": "plain"}


def test_names_in_a_sentence_are_as_people_type_them() -> None:
    sentence = "namespaces/vision/models/digits/versions/2 is not namespaces/vision/models/digits."

    assert wording.shortened(sentence) == "vision/digits/2 is not vision/digits."
    assert wording.shortened("@champion: namespaces/v/models/m/aliases/a-b") == "@champion: v/m@a-b"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("namespaces/v/models/m/versions/3", "v/m/3"),
        ("namespaces/v/models/m/drafts/01a20ad0-f177-7afe-8ed8-586b699ee2e0", "v/m draft …9ee2e0"),
        ("namespaces/v/models/m/drafts/a/uploads/b", "v/m draft a upload b"),
        ("namespaces/v/gates/publish", "v gate publish"),
        ("namespaces/v", "v"),
        ("namespaces/-", "-"),
        ("vision/digits", "vision/digits"),
        ("vision/digits@^9", "vision/digits@^9"),
        ("auditEntries/7", "auditEntries/7"),
        ("", ""),
    ],
)
def test_a_resource_is_as_people_type_it_and_what_nobody_types_is_short(
    name: str, shown: str
) -> None:
    assert wording.resource(name) == shown


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        ("vision", False),
        ("vision/digits", False),
        ("vision/digits/3", True),
        ("digits/3", True),
        ("vision/digits@champion", True),
        ("namespaces/vision/models/digits", False),
        ("namespaces/vision/models/digits/versions/3", True),
    ],
)
def test_a_reference_to_a_version_is_told_by_its_shape(typed: str, is_one: bool) -> None:
    assert wording.is_version(typed) is is_one


def test_what_is_typed_within_a_model_becomes_a_reference() -> None:
    model = "namespaces/vision/models/digits"

    assert wording.within(model, "3") == "vision/digits/3"
    assert wording.within(model, "1.4.2") == "vision/digits@1.4.2"
    assert wording.within(model, "@^1.4") == "vision/digits@^1.4"
    assert wording.within(model, "other/model/1") == "other/model/1"


def test_a_time_of_today_is_short_and_an_older_one_has_its_date() -> None:
    now = Timestamp()
    now.FromDatetime(dt.datetime.now(dt.UTC))
    old = Timestamp(seconds=1_500_000_000)

    assert len(wording.moment_in_list(now)) == len("14:05:09")
    assert wording.moment_in_list(old).startswith("2017-07-14 ")
    assert wording.moment_in_list(Timestamp()) == ""


def test_a_message_for_programs_has_every_field_with_numbers_as_numbers() -> None:
    version = ModelVersion(
        name="n", number=7, size_bytes=2**53, state=VersionState.VERSION_STATE_READY,
        tags={"b": "2", "a": "1"}, aliases=["x"], create_time=Timestamp(seconds=1),
    )  # fmt: skip

    values = plain(version)

    assert set(values) == set(ModelVersion.DESCRIPTOR.fields_by_name)
    assert (values["number"], values["size_bytes"], values["state"]) == (7, 2**53, "READY")
    assert (values["tags"], values["aliases"]) == ({"a": "1", "b": "2"}, ["x"])
    assert values["create_time"] == "1970-01-01T00:00:01Z"
    assert (values["publish_time"], values["facts"], values["files"]) == (None, None, [])


def test_an_enum_value_of_a_newer_server_is_its_number() -> None:
    version = ModelVersion.FromString(b"\x28\x63")  # field 5, state: 99

    assert plain(version)["state"] == "99"
    assert wording.state(version.state) == "99"


def test_a_plain_model_is_what_the_contract_says() -> None:
    assert plain(Model(name="m", keywords=["a"]))["keywords"] == ["a"]
