"""Which files may be pushed, and under which names."""

import errno
import os
import socket
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from assay import errors
from assay.transfer.local_files import find_files, local_path, open_regular


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


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_what_cannot_be_read_is_a_failure_of_this_machine_and_no_unsafe_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(path: Path, *_: object) -> NoReturn:
        raise OSError(number, os.strerror(number), str(path))

    (tmp_path / "sub").mkdir()
    monkeypatch.setattr(os, "open", fail)  # root may read everything
    monkeypatch.setattr(os, "scandir", fail)

    for act, path in ((open_regular, tmp_path / "sub"), (find_files, tmp_path)):
        with pytest.raises(errors.LocalFileFailure) as caught:
            act(path)
        assert f"{path} cannot be read: {os.strerror(number)}" in str(caught.value)


def test_a_file_that_is_gone_is_a_failure_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(errors.LocalFileFailure, match="cannot be read: No such file"):
        open_regular(tmp_path / "gone.bin")
    with pytest.raises(errors.LocalFileFailure, match="cannot be read: No such file"):
        find_files(tmp_path / "gone.bin")


def test_a_name_that_no_system_takes_is_a_failure_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(errors.LocalFileFailure, match="name too long"):
        find_files(tmp_path / ("x" * 300))


def test_directories_may_be_nested_however_deep(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("f", os.O_CREAT, dir_fd=here))
    os.close(here)

    with pytest.raises(errors.UnsafeFile, match="cannot be pushed"):
        find_files(tmp_path)

    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # Python's own would recurse


@pytest.mark.parametrize("given", ["", "a\0b", "\ud800"], ids=["empty", "NUL", "surrogate"])
def test_what_is_no_path_is_invalid(given: str) -> None:
    with pytest.raises(errors.InvalidPath):
        local_path(given)


def test_a_home_of_nobody_is_named() -> None:
    with pytest.raises(errors.LocalFileFailure, match="~no-such-user/x"):
        local_path("~no-such-user/x")
