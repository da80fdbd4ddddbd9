"""The deny-list: what a line may say, and whom it denies."""

import pytest

from assay_server.access.denying import DenyList, Presented, UnreadableDenyList, parse_deny_list

MALLORY = Presented("spiffe://lab/mallory", 0x3FA1, "c" * 64, "5" * 64)
OTHER = Presented("spiffe://lab/mallory2", 0x3FA2, "d" * 64, "6" * 64)


@pytest.mark.parametrize(
    "line",
    [
        "principal spiffe://lab/mallory",
        "  principal   spiffe://lab/mallory  # left in May",
        "serial 3fa1",
        "serial 3F:A1",
        "serial 00003fa1",
        f"certificate-sha256 {'c' * 64}",
        f"certificate-sha256 {':'.join(['CC'] * 32)}",
        f"spki-sha256 {'5' * 64}",
    ],
)
def test_a_line_denies_whom_it_names_and_nobody_else(line: str) -> None:
    denied = parse_deny_list(f"# who left\n\n{line}\n")

    assert len(denied) == 1
    assert denied.denies(MALLORY)
    assert not denied.denies(OTHER)


def test_a_list_of_nobody_says_so() -> None:
    assert parse_deny_list("# all are back\n nobody # at all\n") == DenyList()
    assert not DenyList().denies(MALLORY)


@pytest.mark.parametrize("text", ["", "\n", "# nobody\n"])
def test_a_file_that_was_emptied_is_no_list_of_nobody(text: str) -> None:
    with pytest.raises(
        UnreadableDenyList, match="no entries; to deny nobody write the line 'nobody'"
    ):
        parse_deny_list(text)


def test_a_list_of_nobody_with_somebody_in_it_is_no_list() -> None:
    with pytest.raises(UnreadableDenyList, match="entries and the line 'nobody'"):
        parse_deny_list("nobody\nserial 3fa1\n")


@pytest.mark.parametrize(
    "line",
    [
        "spiffe://lab/mallory",
        "principal",
        "principal mallory",
        "principal spiffe://lab/mallory spiffe://lab/eve",
        "Principal spiffe://lab/mallory",
        "serial xyz",
        "serial -1",
        f"serial {'f' * 41}",
        "certificate-sha256 3fa1",
        f"spki-sha256 {'g' * 64}",
    ],
)
def test_a_list_with_one_line_that_says_something_else_is_no_list(line: str) -> None:
    with pytest.raises(UnreadableDenyList, match="line 2"):
        parse_deny_list(f"principal spiffe://lab/eve\n{line}\n")
