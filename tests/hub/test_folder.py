from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from dca.errors import HubError
from dca.hub.folder import DataFolder, write_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        DataFolder(tmp_path / "a" / "hub").make()
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "hub") == 0o700


def test_an_own_folder_that_was_opened_is_closed_again(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    folder.make()
    folder.path.chmod(0o755)
    folder.make()
    assert mode(folder.path) == 0o700


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear all")
    tmp_path.chmod(0o755)
    with pytest.raises(HubError, match="not empty"):
        DataFolder(tmp_path).make()
    assert mode(tmp_path) == 0o755


def test_one_hub_at_a_time(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "hub"), DataFolder(tmp_path / "hub")
    first.make()
    first.lock()
    assert not second.try_lock()
    with pytest.raises(HubError, match=f"process {os.getpid()}"):
        second.lock()
    first.unlock()
    assert second.try_lock()
    second.unlock()


def test_a_command_wants_a_folder_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="dca hub init"):
        DataFolder(tmp_path / "typo").require()
    assert not (tmp_path / "typo").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "key"
    write_file(target, b"one")
    assert mode(target) == 0o600

    def broken(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_file(target, b"two")
    assert target.read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_folder_of_another_user_says_whose_it_is_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "hub")
    folder.make()
    owner = pwd.getpwuid(os.getuid()).pw_name

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    for method, use in (("iterdir", folder.make), ("open", folder.try_lock)):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, refused)
            with pytest.raises(HubError, match=f"sudo -u {owner} dca hub .*give a folder of your own"):
                use()
