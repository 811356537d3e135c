"""``dca sim``: simulated printers on loopback, for trying the agent and for benchmarks."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dca.errors import DcaError
from dca.sim import OFFICE_SIZE, Clock, Journal, Server, fleet, office

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from dca.sim import Device

__all__ = ["app"]

app = typer.Typer(
    name="sim",
    help="Run simulated printers, on loopback only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PortOption = Annotated[int, typer.Option("--port", help="UDP port of all of them; 0 takes a free one.")]
SpeedOption = Annotated[float, typer.Option("--speed", help="How many times as fast their time runs.")]
SeedOption = Annotated[int, typer.Option("--seed", help="The same seed, the same devices.")]
DelayOption = Annotated[float, typer.Option("--delay", help="Milliseconds until each answer.")]
LossOption = Annotated[float, typer.Option("--loss", help="Percent of the answers that get lost.")]
WriteOption = Annotated[str, typer.Option("--write-community", help="A community that may SET.", show_default="none")]
JournalOption = Annotated[
    Path | None, typer.Option("--journal", help="Append a JSON line for each object that was SET.", show_default="none")
]
SecondsOption = Annotated[float | None, typer.Option("--seconds", help="End after so many.", show_default="never")]


@app.command("office")
def run_office(
    *,
    address: Annotated[str, typer.Option("--address", "--first", help="Address of the first.")] = "127.20.0.1",
    count: Annotated[int, typer.Option("--count", min=1, max=10_000)] = OFFICE_SIZE,
    port: PortOption = 16161,
    speed: SpeedOption = 60.0,
    seed: SeedOption = 1,
    delay: DelayOption = 0.0,
    loss: LossOption = 0.0,
    write_community: WriteOption = "",
    journal: JournalOption = None,
    seconds: SecondsOption = None,
) -> None:
    """Run an office of 25 devices of all makes.

    One sleeps, one answers only SNMPv3, one only v1, one is a switch, and one has a cover that is left open.
    """
    how = _How(speed, port, delay, loss, seed, seconds, journal)
    _serve(lambda clock: office(clock, first=address, count=count, seed=seed, write_community=write_community), how)


@app.command("fleet")
def run_fleet(
    *,
    count: Annotated[int, typer.Option("--count", min=1, max=10_000)] = 1000,
    first: Annotated[str, typer.Option("--first", "--address", help="Address of the first.")] = "127.21.0.1",
    port: PortOption = 16161,
    speed: SpeedOption = 1.0,
    seed: SeedOption = 1,
    v3: Annotated[bool, typer.Option("--v3", help="They answer only SNMPv3.")] = False,
    delay: DelayOption = 0.0,
    loss: LossOption = 0.0,
    write_community: WriteOption = "",
    journal: JournalOption = None,
    seconds: SecondsOption = None,
) -> None:
    """Run many printers of all models."""
    how = _How(speed, port, delay, loss, seed, seconds, journal)
    _serve(lambda clock: fleet(clock, count=count, first=first, seed=seed, v3=v3, write_community=write_community), how)


class _How(NamedTuple):
    """How the devices are served."""

    speed: float
    port: int
    delay: float
    """Milliseconds."""
    loss: float
    """Percent."""
    seed: int
    seconds: float | None
    journal: Path | None


@contextmanager
def _journal(devices: list[Device], path: Path | None) -> Iterator[None]:
    """Keep the journal of the devices in a file while the block runs, if one is wanted."""
    if path is None:
        yield
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise DcaError(f"the journal {path} cannot be written: {error.strerror}") from error
    with file:
        journal = Journal(file)
        for device in devices:
            device.journal = journal
        yield


def _serve(build: Callable[[Clock], list[Device]], how: _How) -> None:
    started = time.monotonic()
    try:
        server = Server(
            build(Clock(how.speed)), port=how.port, delay=how.delay / 1000, loss=how.loss / 100, seed=how.seed
        )
    except (OSError, ValueError) as error:
        raise DcaError(f"the simulated devices cannot be started: {error}") from error

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.stop()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = threading.Timer(how.seconds, server.stop) if how.seconds is not None else None
    devices = server.devices
    print(
        f"ready: {len(devices)} devices on {devices[0].address} to {devices[-1].address}, UDP port {server.port}, "
        f"after {time.monotonic() - started:.1f} s",
        flush=True,
    )
    try:
        if timer is not None:
            timer.daemon = True
            timer.start()
        with _journal(devices, how.journal):
            server.serve()
    finally:
        if timer is not None:
            timer.cancel()
        server.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    requests = sum(device.requests for device in devices)
    print(f"stopped: {requests} requests, {sum(device.answers for device in devices)} answers", flush=True)
