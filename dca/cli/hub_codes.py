"""`dca hub code`: activation codes, made for a site, used once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from dca.cli.hub_database import Data, DatabaseUrl, with_database
from dca.errors import DcaError
from dca.service.person import who_asks

if TYPE_CHECKING:
    from dca.hub.activation.codes import CodeRow

__all__ = ["app"]

app = typer.Typer(name="code", help="Activation codes for new agents.", no_args_is_help=True)


@app.command("new")
def code_new(
    data: Data,
    site: Annotated[str, typer.Option("--site", help="The customer's location that the agent belongs to.")],
    agent: Annotated[
        str | None,
        typer.Option("--agent", help="Id of a known agent of the site: it keeps its history, its certificates end."),
    ] = None,
    days: Annotated[float, typer.Option("--days", min=0.001, max=90.0, help="How long the code can be used.")] = 7.0,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a code for one activation, which is shown this once."""
    from dca.hub.activation.codes import add_code  # noqa: PLC0415 - imports the hub's libraries
    from dca.hub.folder import DataFolder  # noqa: PLC0415 - as above
    from dca.hub.pki import Authority  # noqa: PLC0415 - as above
    from dca.hub.presented import read_pin  # noqa: PLC0415 - as above

    folder = DataFolder(data)
    folder.require()
    pin = read_pin(folder, Authority(folder.path))
    code = with_database(
        data,
        database_url,
        lambda connection: add_code(
            connection,
            pin,
            site,
            agent_id=_agent_id(agent),
            life=timedelta(days=days),
            by=who_asks(),
            now=datetime.now(UTC),
        ),
    )
    print(code.text().reveal())


@app.command("list")
def code_list(data: Data, database_url: DatabaseUrl = None) -> None:
    """Show the codes that were given out, and what became of each."""
    from dca.hub.activation.codes import list_codes  # noqa: PLC0415 - imports the database's library

    codes = with_database(data, database_url, list_codes)
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("code", "site", "made (UTC)", "by", "agent", "state"):
        table.add_column(title, overflow="fold", no_wrap=title in {"code", "agent"})
    for row in codes:
        made, agent = f"{row.created_at:%Y-%m-%d %H:%M}", str(row.agent_id)[:8] if row.agent_id else ""
        table.add_row(row.id, row.site, made, row.created_by, agent, _state(row))
    Console().print(table if codes else "No codes yet; make one with: dca hub code new --site NAME")


@app.command("withdraw")
def code_withdraw(
    code: Annotated[str, typer.Argument(help="The first eight characters, as the list shows them.")],
    data: Data,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a code that was not used yet end now."""
    from dca.hub.activation.codes import withdraw_code  # noqa: PLC0415 - imports the database's library

    with_database(data, database_url, lambda connection: withdraw_code(connection, code, datetime.now(UTC)))
    print(f"code {code.strip().upper()} can no longer be used")


def _agent_id(text: str | None) -> UUID | None:
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise DcaError(f"{text!r} is no agent's id; dca hub agent list shows them") from None


def _state(row: CodeRow) -> str:
    if row.used_at is not None:
        return f"used {row.used_at:%Y-%m-%d %H:%M}"
    if row.locked_at is not None:
        return f"locked after {row.failures} wrong tries"
    if row.expires_at <= datetime.now(UTC):
        return "ended"
    wrong = f", {row.failures} wrong" if row.failures else ""
    return f"open until {row.expires_at:%Y-%m-%d %H:%M}{wrong}"
