"""Which files may be pushed, and under which names."""

import os
import socket
from pathlib import Path

import pytest

from assay import errors
from assay.transfer.local_files import find_files, open_regular


def test_a_directory_gives_all_its_files_sorted_with_slashes(tmp_path: Path) -> None:
    (tmp_path / "weights/part").mkdir(parents=True)
    (tmp_path / "weights/part/a.bin").write_bytes(b"12")
    (tmp_path / "b.json").write_text("{}")

    files = find_files(tmp_path)

    assert [(file.path, file.size_bytes) for file in files] == [
        ("b.json", 2),
        ("weights/part/a.bin", 2),
    ]


def test_a_file_keeps_only_its_name(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")

    (file,) = find_files(tmp_path / "model.onnx")

    assert (file.path, file.media_type, file.role) == ("model.onnx", "application/onnx", "weights")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (".DS_Store", "is hidden"),
        ("a b.bin", "is not made of"),
        ("grün.bin", "is not made of"),
        ("ends.", "ends in a point"),
        ("nul.txt", "is a device on Windows"),
        ("-rf", "is not made of"),
        ("x" * 129, "128 at most"),
    ],
)
def test_a_name_outside_the_grammar_is_named(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(errors.UnsafeFile, match=problem) as caught:
        find_files(tmp_path)

    assert str(tmp_path / name) in str(caught.value)


def test_what_is_excluded_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text("")
    (tmp_path / "keep.log").write_text("")

    files = find_files(tmp_path, exclude=[".*", "logs/*"])

    assert [file.path for file in files] == ["keep.log"]


def test_names_that_differ_only_in_case_collide(tmp_path: Path) -> None:
    (tmp_path / "Model.bin").write_bytes(b"")
    (tmp_path / "model.bin").write_bytes(b"")

    with pytest.raises(errors.UnsafeFile, match="side by side"):
        find_files(tmp_path)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.UnsafeFile, match="holds no files"):
        find_files(tmp_path)


def test_a_link_is_refused_unless_it_stays_inside(tmp_path: Path) -> None:
    root = tmp_path / "model"
    root.mkdir()
    (root / "real.bin").write_bytes(b"1234")
    (root / "link.bin").symlink_to("real.bin")

    with pytest.raises(errors.UnsafeFile, match="is a link"):
        find_files(root)

    files = find_files(root, follow_links=True)
    assert [(file.path, file.size_bytes) for file in files] == [("link.bin", 4), ("real.bin", 4)]


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "loop", "gone"])
def test_a_link_that_leaves_or_leads_nowhere_is_refused_always(tmp_path: Path, target: str) -> None:
    root = tmp_path / "model"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    (root / "loop").symlink_to(target)

    with pytest.raises(errors.UnsafeFile, match="loop"):
        find_files(root, follow_links=True)


def test_a_link_to_a_directory_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "model"
    (root / "real").mkdir(parents=True)
    (root / "link").symlink_to("real")

    with pytest.raises(errors.UnsafeFile, match="is a directory"):
        find_files(root, follow_links=True)


def test_a_root_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    with pytest.raises(errors.UnsafeFile, match="link is a link"):
        find_files(tmp_path / "link")


def test_pipes_sockets_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.UnsafeFile, match="is a pipe"):
        find_files(tmp_path / "pipe")

    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket"))
        with pytest.raises(errors.UnsafeFile, match="is a socket"):
            find_files(tmp_path / "socket")

    with pytest.raises(errors.UnsafeFile, match="is a device"):
        find_files(Path("/dev/null"))


def test_a_file_that_became_a_link_or_a_pipe_meanwhile_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(errors.UnsafeFile, match="became a link"):
        open_regular(tmp_path / "link")
    with pytest.raises(errors.UnsafeFile, match="not a regular file"):
        open_regular(tmp_path / "pipe")
