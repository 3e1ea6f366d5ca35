"""Real files: publication, cut-back, errors; and the lock."""

import subprocess
import sys
from pathlib import Path

import pytest

from spyglass.model.errors import StorageError, StoreLocked
from spyglass.storage.files import RealFiles, disk_usage_bytes
from spyglass.storage.lock import DirectoryLock


def test_append_counts_and_reopens(tmp_path: Path) -> None:
    """An append file grows by what is written, also when opened again."""
    files = RealFiles()
    file = files.append(tmp_path / "log")
    file.write(b"abc")
    file.sync()
    file.close()
    again = files.append(tmp_path / "log")
    again.write(bytearray(b"de"))
    assert again.size() == 5
    again.close()
    assert (tmp_path / "log").read_bytes() == b"abcde"


def test_write_atomic_replaces_whole_files(tmp_path: Path) -> None:
    """Readers see the former content or the new, and a failing writer leaves the former."""
    path = tmp_path / "file"
    RealFiles().write_atomic(path, [b"one"])

    def failing() -> "list[bytes]":
        raise RuntimeError("no more")

    RealFiles().write_atomic(path, iter([b"tw", b"o"]))
    assert path.read_bytes() == b"two"
    with pytest.raises(RuntimeError):
        RealFiles().write_atomic(path, (chunk for _ in range(1) for chunk in failing()))
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_publish_and_remove_folders(tmp_path: Path) -> None:
    """A folder is published under its final name with all in it, and removed whole."""
    temporary = tmp_path / "x.tmp"
    (temporary / "deep").mkdir(parents=True)
    (temporary / "deep" / "a").write_bytes(b"12345")
    files = RealFiles()
    files.publish(temporary, tmp_path / "x")
    assert disk_usage_bytes(tmp_path / "x") == 5
    files.remove(tmp_path / "x")
    files.remove(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_errors_name_the_file(tmp_path: Path) -> None:
    """The system's errors arrive as StorageError with the path."""
    with pytest.raises(StorageError, match="missing"):
        RealFiles().append(tmp_path / "missing" / "file")


def test_free_bytes_of_a_path_that_does_not_exist_yet(tmp_path: Path) -> None:
    """The free space is that of the nearest folder that exists."""
    assert RealFiles().free_bytes(tmp_path / "not" / "yet") > 0


def test_a_second_owner_is_told_who_has_the_directory(tmp_path: Path) -> None:
    """The lock names the holder's pid, and is free again when the holder closes."""
    code = "import sys; from pathlib import Path; from spyglass.storage.lock import DirectoryLock as L; lock = L(Path(sys.argv[1]))"
    code += "; print('held', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked, match=str(child.pid)) as caught:
            DirectoryLock(tmp_path)
        assert caught.value.pid == child.pid
        child.kill()
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StoreLocked):
        DirectoryLock(tmp_path)
    lock.close()
    lock.close()
    DirectoryLock(tmp_path).close()
