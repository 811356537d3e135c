"""The bare ``dca``: quick, helpful, and clear about what went wrong."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import dca as package
from dca.cli import COMMANDS
from dca.errors import ConfigError, ConfigProblem, DcaError


def test_version(dca) -> None:
    ran = dca("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"dca {package.__version__}\n", "")


def test_help_names_every_command(dca) -> None:
    ran = dca("--help")
    assert ran.code == 0
    for name in COMMANDS:
        assert f" {name} " in ran.out


@pytest.mark.parametrize("args", [["--version"], ["--help"]])
def test_the_quick_ones_import_nothing_heavy(args) -> None:
    heavy = ("grpc", "cryptography", "apscheduler", "pysnmp", "dca.snmp.client", "dca.config", "asyncpg")
    program = f"import sys\nfrom dca.cli import main\ntry:\n main({args!r})\nexcept SystemExit: pass\n"
    program += f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_wrong_word_is_wrong_use_with_a_hint(dca) -> None:
    ran = dca("scna")
    assert ran.code == 2
    assert "scan" in ran.err


def command(monkeypatch, name: str, function) -> None:
    """Put a command of ours in place of a real one."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(function)
    module = type(sys)(f"dca.cli.{name}")
    module.app = app
    monkeypatch.setitem(sys.modules, f"dca.cli.{name}", module)


def test_an_error_is_one_clear_line(dca, monkeypatch) -> None:
    def fail() -> None:
        raise DcaError("the printer at 10.0.0.1 said \x1b[31mno\x1b[0m")

    command(monkeypatch, "sim", fail)
    ran = dca("sim")
    assert ran.code == 1
    assert ran.err == "dca: the printer at 10.0.0.1 said \N{REPLACEMENT CHARACTER}[31mno\N{REPLACEMENT CHARACTER}[0m\n"


def test_a_wrong_config_is_wrong_use_and_every_problem_is_told(dca, monkeypatch) -> None:
    def fail() -> None:
        raise ConfigError("dca.toml", [ConfigProblem("hub", "is missing", 1), ConfigProblem("range", "is empty", 7)])

    command(monkeypatch, "sim", fail)
    ran = dca("sim")
    assert ran.code == 2
    assert ran.err == "dca: dca.toml cannot be used:\n  line 1: hub: is missing\n  line 7: range: is empty\n"


def test_an_interrupt_ends_as_shells_expect(dca, monkeypatch) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    command(monkeypatch, "sim", fail)
    assert dca("sim").code == 130


def onto(target: str, *args: str) -> subprocess.CompletedProcess[str]:
    with open(target, "w", encoding="utf-8") as out:  # noqa: PTH123 - a device
        return subprocess.run(
            [sys.executable, "-m", "dca", *args], stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=30
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("args", [["--version"], ["--help"], ["config", "example"], ["scan", "--help"]])
def test_a_full_disk_is_one_clear_line(args) -> None:
    done = onto("/dev/full", *args)
    assert done.returncode == 1
    assert done.stderr == (
        "dca: the output could not be written: No space left on device; make room there, or write it elsewhere\n"
    )


def test_who_reads_only_the_beginning_is_told_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "dca", "config", "example"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_file_that_the_system_refuses_is_named(dca, monkeypatch) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied", "/var/lib/dca")

    command(monkeypatch, "sim", fail)
    ran = dca("sim")
    assert (ran.code, ran.err) == (1, "dca: /var/lib/dca: Permission denied\n")


def test_a_missing_extra_says_how_to_install_it(dca, monkeypatch) -> None:
    def missing(name):
        raise ModuleNotFoundError("No module named 'asyncpg'", name="asyncpg")

    monkeypatch.setattr("dca.cli.load_command", missing)
    ran = dca("hub", "run")
    assert ran.code == 1
    assert ran.err == 'dca: dca hub needs the package asyncpg, which is not installed: pip install "dca[hub]"\n'


def test_an_error_of_ours_is_no_missing_extra(monkeypatch) -> None:
    def missing(name):
        raise ModuleNotFoundError("No module named 'dca.hub.nowhere'", name="dca.hub.nowhere")

    monkeypatch.setattr("dca.cli.load_command", missing)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dca.cli").main(["hub"])


def test_completion_knows_the_options_of_commands() -> None:
    environ = {"_DCA_COMPLETE": "complete_bash", "COMP_WORDS": "dca scan --comm", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "dca"], env=environ, capture_output=True, text=True, check=False, timeout=30
    )
    assert "--community" in done.stdout
