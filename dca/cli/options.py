"""The options that `dca scan` and `dca read` share, and the credentials that they say.

A v3 password never stands on the command line, where every user of the machine could read it: it comes from
the environment, from a file, or is asked for.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from dca.model import AuthProtocol, Credential, PrivProtocol, Secret, SnmpVersion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AuthFileOption",
    "AuthOption",
    "AuthVariableOption",
    "CommunityOption",
    "ConfigFileOption",
    "ConfigOption",
    "ContextOption",
    "InFlightOption",
    "JsonOption",
    "PortOption",
    "PrivFileOption",
    "PrivOption",
    "PrivVariableOption",
    "RateOption",
    "RetriesOption",
    "TimeoutOption",
    "UserOption",
    "V3Options",
    "VersionOption",
    "command_app",
    "credentials_of",
]

V3 = "SNMPv3"
PACE = "Pace"
MIN_PASSWORD = 8
"""Characters (RFC 3414, section 11.2)."""
PUBLIC = "public"
_AUTO = "auto"
Protocol = TypeVar("Protocol", AuthProtocol, PrivProtocol)

CommunityOption = Annotated[
    list[str] | None,
    typer.Option("--community", metavar="TEXT", help="To try; repeatable, in this order.", show_default="public"),
]
VersionOption = Annotated[
    Literal["1", "2c", "3"] | None,
    typer.Option("--snmp-version", help="Speak this one only.", show_default="2c, then 1"),
]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65_535, help="UDP port.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, each as soon as it is read.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Take ranges, credentials and limits from it.")
]
ConfigFileOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The config file.", show_default="the usual place")
]
UserOption = Annotated[str, typer.Option("--user", metavar="NAME", help="Speak v3 as this user.", rich_help_panel=V3)]
AuthOption = Annotated[
    str | None,
    typer.Option("--auth", metavar="NAME", help="md5, sha1, sha224 ... sha512, or auto: find out.", rich_help_panel=V3),
]
AuthVariableOption = Annotated[
    str | None,
    typer.Option(
        "--auth-password-env", metavar="VARIABLE", help="Environment variable with the password.", rich_help_panel=V3
    ),
]
AuthFileOption = Annotated[
    Path | None,
    typer.Option("--auth-password-file", metavar="FILE", help="File whose first line is it.", rich_help_panel=V3),
]
PrivOption = Annotated[
    str | None,
    typer.Option(
        "--priv", metavar="NAME", help="des, aes128, aes192, aes256, aes192-c, aes256-c or auto.", rich_help_panel=V3
    ),
]
PrivVariableOption = Annotated[
    str | None,
    typer.Option(
        "--priv-password-env", metavar="VARIABLE", help="Environment variable with the password.", rich_help_panel=V3
    ),
]
PrivFileOption = Annotated[
    Path | None,
    typer.Option("--priv-password-file", metavar="FILE", help="File whose first line is it.", rich_help_panel=V3),
]
ContextOption = Annotated[str, typer.Option("--context", metavar="TEXT", help="Context name.", rich_help_panel=V3)]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=0.05, max=60.0, help="Seconds to the first retry.", show_default="1", rich_help_panel=PACE
    ),
]
RetriesOption = Annotated[
    int | None,
    typer.Option("--retries", min=0, max=10, help="After the first try.", show_default="2", rich_help_panel=PACE),
]
RateOption = Annotated[
    int | None,
    typer.Option(
        "--rate", min=1, max=100_000, help="Packets a second, in all.", show_default="5000", rich_help_panel=PACE
    ),
]
InFlightOption = Annotated[
    int | None,
    typer.Option(
        "--in-flight", min=1, max=4096, help="Devices talked to at once.", show_default="128", rich_help_panel=PACE
    ),
]


def command_app() -> typer.Typer:
    """Return the app for one command, with the ways that all commands share."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


class V3Options:
    """What the command line says about SNMPv3, and where the passwords come from."""

    def __init__(
        self,
        *,
        user: str = "",
        auth: str | None = None,
        auth_variable: str | None = None,
        auth_file: Path | None = None,
        priv: str | None = None,
        priv_variable: str | None = None,
        priv_file: Path | None = None,
        context: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.user = user
        self.context = context
        self._environ = os.environ if environ is None else environ
        self._auth = (auth, auth_variable, auth_file)
        self._priv = (priv, priv_variable, priv_file)

    def given(self) -> bool:
        """Tell whether anything is said that only v3 knows."""
        return bool(self.user or self.context or any(self._auth) or any(self._priv))

    def credential(self) -> Credential:
        """Return the user; asks for passwords that no option leads to. Raises typer.BadParameter."""
        if not self.user:
            raise typer.BadParameter("SNMPv3 needs a user", param_hint="--user")
        auth, auth_password = self._secret("auth", AuthProtocol, *self._auth)
        priv, priv_password = self._secret("priv", PrivProtocol, *self._priv)
        if priv_password is not None and auth_password is None:
            raise typer.BadParameter("privacy needs authentication as well", param_hint="--priv")
        return Credential(
            "v3 user",
            version="3",
            user=self.user,
            auth=auth,
            auth_password=auth_password,
            priv=priv,
            priv_password=priv_password,
            context=self.context,
        )

    def _secret(
        self, name: str, protocols: type[Protocol], protocol: str | None, variable: str | None, file: Path | None
    ) -> tuple[Protocol | None, Secret | None]:
        if protocol is None and variable is None and file is None:
            return None, None
        if variable is not None and file is not None:
            raise typer.BadParameter("give one of the two", param_hint=f"--{name}-password-env and -file")
        chosen = _protocol(f"--{name}", protocols, protocol)
        source = f"--{name}"
        if variable is not None:
            source = f"--{name}-password-env"
            text = self._environ.get(variable)
            if text is None:
                raise typer.BadParameter(f"{variable} is not set", param_hint=source)
        elif file is not None:
            source = f"--{name}-password-file"
            text = _first_line(file, source)
        else:
            text = _ask(name, self.user)
        if len(text) < MIN_PASSWORD:
            raise typer.BadParameter(f"a password has at least {MIN_PASSWORD} characters (RFC 3414)", param_hint=source)
        return chosen, Secret(text)


def credentials_of(
    communities: Sequence[str] | None, version: SnmpVersion | None, v3: V3Options
) -> tuple[Credential, ...]:
    """Return what to try, in this order: the v3 user if there is one, then the communities.

    Raises typer.BadParameter for what does not go together.
    """
    found: list[Credential] = []
    if version == "3" or (version is None and v3.given()):
        found.append(v3.credential())
        if version == "3" and communities:
            raise typer.BadParameter("SNMPv3 knows no community", param_hint="--community")
    elif v3.given():
        raise typer.BadParameter(f"SNMPv{version} knows no user", param_hint="--user")
    if version != "3" and (communities or not found):
        texts = communities or [PUBLIC]
        if not all(texts):
            raise typer.BadParameter("is empty; leave it out for public", param_hint="--community")
        found += [
            Credential(_community_name(texts, index), version=version, community=Secret(text))
            for index, text in enumerate(texts)
        ]
    return tuple(found)


def _community_name(texts: Sequence[str], index: int) -> str:
    """Return what messages call a community; never the community itself, which is a secret."""
    if texts[index] == PUBLIC:
        return "community public"
    return "the community given" if len(texts) == 1 else f"--community #{index + 1}"


def _protocol(option: str, protocols: type[Protocol], text: str | None) -> Protocol | None:
    """Read a protocol's name as people write it (SHA-256, AES), None to find it out."""
    if text is None or text.lower() == _AUTO:
        return None
    plain = text.lower().replace("-", "").replace("_", "")
    plain = {"sha": "sha1", "aes": "aes128"}.get(plain, plain)
    names: list[str] = [member.value for member in protocols.__members__.values()]
    for name in names:
        if plain == name.replace("-", ""):
            return protocols(name)
    allowed = ", ".join([*names, _AUTO])
    raise typer.BadParameter(f"{text!r} is not known; allowed are {allowed}", param_hint=option)


def _first_line(file: Path, option: str) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.readline(4096).rstrip("\r\n")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint=option) from error
    except UnicodeDecodeError:
        # Not chained: the codec's error holds the file's bytes.
        raise typer.BadParameter(f"{file} is not UTF-8 text", param_hint=option) from None


def _ask(name: str, user: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"there is no terminal to ask for the password; give --{name}-password-env or --{name}-password-file",
            param_hint=f"--{name}",
        )
    kind = {"auth": "Authentication", "priv": "Privacy"}[name]
    text: str = typer.prompt(f"{kind} password of {user}", hide_input=True, err=True)
    return text
