from __future__ import annotations

from pathlib import Path

import pytest

from dca.config import default_path, default_state_dir


def test_the_files_usual_place():
    assert default_path({}, platform="linux") == Path("/etc/dca/dca.toml")
    assert default_path({"ProgramData": "/PD"}, platform="win32") == Path("/PD/dca/dca.toml")


@pytest.mark.parametrize(
    ("environ", "root", "path"),
    [
        ({"STATE_DIRECTORY": "/var/lib/private/dca:/var/lib/x"}, True, "/var/lib/private/dca"),
        ({}, True, "/var/lib/dca"),
        ({"HOME": "/home/me"}, False, "/home/me/.local/state/dca"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "/state"}, False, "/state/dca"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "relative"}, False, "/home/me/.local/state/dca"),
    ],
)
def test_the_state_folder(environ, root, path):
    assert default_state_dir(environ, platform="linux", root=root) == Path(path)


def test_the_state_folder_on_windows():
    assert default_state_dir({"PROGRAMDATA": "/PD"}, platform="win32") == Path("/PD/dca")
