"""`dca hub`: the receiving end."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from dca.cli.hub_codes import app as code
from dca.cli.hub_database import Data, DatabaseUrl, secret, with_database
from dca.cli.hub_tasks import agent, task
from dca.hub.folder import DataFolder
from dca.hub.settings import Address, HubSettings

if TYPE_CHECKING:
    from dca.hub.run import Ready

__all__ = ["app"]

app = typer.Typer(
    name="hub",
    help="The receiving end: stores what agents report and shows it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
site = typer.Typer(name="site", help="Customers' sites.", no_args_is_help=True)
for group in (site, code, agent, task):
    app.add_typer(group)


@app.command()
def init(
    data: Data,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Host name or address that agents use; repeat for more. Replaces earlier ones."),
    ] = None,
) -> None:
    """Make the hub's own CA and server certificate; a CA that is there is kept.

    While a hub runs on the folder, it uses a new server certificate from the next connection on.
    """
    from dca.hub import run as hub  # noqa: PLC0415 - imports the hub's libraries
    from dca.hub.pki import Authority  # noqa: PLC0415 - as above

    folder = DataFolder(data)
    folder.make()
    free = folder.try_lock()
    if not free and not Authority(folder.path).server_file.exists():
        folder.lock()  # refused: that hub uses no certificate of its own, or is about to make one
    authority = hub.prepare(HubSettings(data=data, names=tuple(name or ())), folder)
    folder.unlock()
    print(f"CA file      {authority.ca_file}")
    print(f"SHA-256      {authority.ca_fingerprint}")
    print(f"Names        {', '.join(authority.names)}")
    print("Activation codes carry the fingerprint, so that an agent knows the hub by its code alone.")
    if not free:
        print(f"The hub that runs here (process {folder.holder()}) uses these names within a second.")


@app.command()
def run(  # noqa: PLR0917 - typer gives every option by name
    data: Data,
    grpc: Annotated[str, typer.Option(help="HOST:PORT for agents; port 0 takes a free one.")] = "127.0.0.1:4443",
    web: Annotated[str, typer.Option(help="HOST:PORT for the page, loopback only.")] = "127.0.0.1:4480",
    mqtt: Annotated[
        str | None,
        typer.Option(help="HOST:PORT for MQTT over TLS.", show_default="port 8883 beside 443, else a free one"),
    ] = None,
    database_url: DatabaseUrl = None,
    nats_url: Annotated[
        str | None,
        typer.Option(
            envvar="DCA_NATS_URL",
            show_envvar=True,
            help="NATS servers (JetStream) to use instead of the embedded one, nats://token@host:4222,...",
        ),
    ] = None,
    nats_mqtt: Annotated[str | None, typer.Option(help="HOST:PORT where that NATS takes MQTT from the hub.")] = None,
    nats_websocket: Annotated[str | None, typer.Option(help="The same for MQTT over WebSocket.")] = None,
    cert: Annotated[Path | None, typer.Option(help="Server certificate with its chain, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    certificate_days: Annotated[float, typer.Option(help="Life of an agent's certificate.")] = 90.0,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses there (JSON) once serving.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's core writes to stderr otherwise
    from dca.hub import run as hub  # noqa: PLC0415 - imports the hub's libraries

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = HubSettings(
        data=data,
        grpc=Address.parse(grpc),
        web=Address.parse(web),
        database_url=secret(database_url),
        nats_url=secret(nats_url),
        nats_account_seed=secret(os.environ.get("DCA_NATS_ACCOUNT_SEED")),
        nats_mqtt=Address.parse(nats_mqtt) if nats_mqtt else None,
        nats_websocket=Address.parse(nats_websocket) if nats_websocket else None,
        certificate=cert,
        key=key,
        mqtt=Address.parse(mqtt) if mqtt else None,
        certificate_days=certificate_days,
        ready_file=ready_file.absolute() if ready_file else None,
    )
    asyncio.run(hub.serve(settings, _announce))


@site.command("add")
def site_add(
    name: Annotated[str, typer.Argument(help="The customer's location.")], data: Data, database_url: DatabaseUrl = None
) -> None:
    """Add a site; codes for its agents come from dca hub code new."""
    from dca.hub.sites import add_site  # noqa: PLC0415 - imports the database's library

    with_database(data, database_url, lambda connection: add_site(connection, name))
    print(f"site {name.strip()!r} added; a code for its agent: dca hub code new --site {name.strip()!r} --data {data}")


@site.command("list")
def site_list(data: Data, database_url: DatabaseUrl = None) -> None:
    """Show the sites."""
    from dca.hub.sites import list_sites  # noqa: PLC0415 - imports the database's library

    sites = with_database(data, database_url, list_sites)
    table = Table("site", "agents", "devices", "last report (UTC)", box=None, header_style="bold")
    for row in sites:
        last = f"{row.last_report_at:%Y-%m-%d %H:%M:%S}" if row.last_report_at else "never"
        table.add_row(row.name, str(row.agents), str(row.devices), last)
    Console(soft_wrap=True).print(table if sites else "No sites yet; add one with: dca hub site add NAME")


def _announce(ready: Ready) -> None:
    tls = "the hub's own CA" if ready.ca_file else "the given certificate"
    print(
        f"agents           {ready.grpc} (gRPC and MQTT over WebSocket), {ready.mqtt} (MQTT); TLS by {tls}", flush=True
    )
    print(f"page             http://{ready.web}/", flush=True)
