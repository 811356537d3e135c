"""`dca hub`: the receiving end."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from dca.hub.folder import DataFolder
from dca.hub.settings import Address, HubSettings
from dca.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import asyncpg

    from dca.hub.run import Ready

__all__ = ["app"]

T = TypeVar("T")

app = typer.Typer(
    name="hub",
    help="The receiving end: stores what agents report and shows it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
site = typer.Typer(name="site", help="Customers' sites and their tokens.", no_args_is_help=True)
app.add_typer(site)

# readable=False: the data folder itself says more about one that is not ours than the option could.
Data = Annotated[Path, typer.Option("--data", help="The hub's data folder.", show_default=False, readable=False)]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="DCA_DATABASE_URL",
        help="PostgreSQL 15 or newer to use instead of the embedded one, postgresql://user:password@host/database. "
        "Better in the environment than on the command line, where others can see it.",
        show_envvar=True,
    ),
]


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
    assert authority is not None
    print(f"CA file      {authority.ca_file}")
    print(f"SHA-256      {authority.ca_fingerprint}")
    print(f"Names        {', '.join(authority.names)}")
    print("Agents trust the hub by this file; compare the fingerprint when you copy it.")
    if not free:
        print(f"The hub that runs here (process {folder.holder()}) uses these names from the next connection on.")


@app.command()
def run(  # noqa: PLR0917 - typer gives every option by name
    data: Data,
    grpc: Annotated[str, typer.Option(help="HOST:PORT for agents; port 0 takes a free one.")] = "127.0.0.1:4443",
    web: Annotated[str, typer.Option(help="HOST:PORT for the page, loopback only.")] = "127.0.0.1:4480",
    database_url: DatabaseUrl = None,
    nats_url: Annotated[
        str | None,
        typer.Option(
            envvar="DCA_NATS_URL",
            show_envvar=True,
            help="NATS servers (JetStream) to use instead of the embedded one, nats://token@host:4222,...",
        ),
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="Server certificate with its chain, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    plaintext: Annotated[bool, typer.Option("--plaintext", help="No TLS; loopback only.")] = False,
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
        database_url=_secret(database_url),
        nats_url=_secret(nats_url),
        certificate=cert,
        key=key,
        plaintext=plaintext,
        ready_file=ready_file.absolute() if ready_file else None,
    )
    asyncio.run(hub.serve(settings, _announce))


@site.command("add")
def site_add(
    name: Annotated[str, typer.Argument(help="The customer's location.")], data: Data, database_url: DatabaseUrl = None
) -> None:
    """Add a site and print its token, which is shown this once."""
    from dca.hub.sites import add_site  # noqa: PLC0415 - imports the database's library

    token = _with_database(data, database_url, lambda connection: add_site(connection, name))
    print(token.reveal())


@site.command("token")
def site_token(
    name: Annotated[str, typer.Argument(help="The customer's location.")],
    data: Data,
    keep_old: Annotated[bool, typer.Option("--keep-old", help="Let the tokens given before work on.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a new token for a site; the ones given before end at once."""
    from dca.hub.sites import renew_token  # noqa: PLC0415 - imports the database's library

    token = _with_database(data, database_url, lambda connection: renew_token(connection, name, keep_old=keep_old))
    print(token.reveal())


@site.command("list")
def site_list(data: Data, database_url: DatabaseUrl = None) -> None:
    """Show the sites."""
    from dca.hub.sites import list_sites  # noqa: PLC0415 - imports the database's library

    sites = _with_database(data, database_url, list_sites)
    table = Table("site", "agents", "devices", "last report (UTC)", box=None, header_style="bold")
    for row in sites:
        last = f"{row.last_report_at:%Y-%m-%d %H:%M:%S}" if row.last_report_at else "never"
        table.add_row(row.name, str(row.agents), str(row.devices), last)
    Console(soft_wrap=True).print(table if sites else "No sites yet; add one with: dca hub site add NAME")


def _with_database(
    data: Path, database_url: str | None, work: Callable[[asyncpg.Connection], Coroutine[None, None, T]]
) -> T:
    from dca.hub.run import database  # noqa: PLC0415 - imports the hub's libraries

    async def main() -> T:
        async with database(data, _secret(database_url)) as connection:
            return await work(connection)

    return asyncio.run(main())


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _announce(ready: Ready) -> None:
    tls = f"TLS, CA file {ready.ca_file}" if ready.ca_file else "as configured"
    print(f"agents report to {ready.grpc} ({tls})", flush=True)
    print(f"page             http://{ready.web}/", flush=True)
