"""Why the channel is down, in words for the administrator of the site."""

from __future__ import annotations

import errno
import re
import ssl
from typing import TYPE_CHECKING, Literal, TypeAlias

from paho.mqtt.client import WebsocketConnectionError

from dca.errors import ChannelError, DcaError
from dca.net.connect import ProxyAnswerError

if TYPE_CHECKING:
    from dca.channel.terms import Route

__all__ = [
    "NOT_MQTT",
    "LineError",
    "Phase",
    "denied",
    "explain",
    "lost",
    "oversized",
    "refused",
    "stalled",
    "taken",
    "unresolved",
]

Phase: TypeAlias = Literal["reach", "tls", "upgrade", "login", "subscribe", "up"]

_SHOWN = 300
_NOT_HTTP, _ASKS, _UNAUTHORISED = 0, 407, 401
_NO_TUNNEL = {403, 405}
_REFUSALS = {
    132: (1, "the broker does not speak MQTT 3.1.1"),
    133: (2, "the broker does not take this client id"),
    136: (3, "the broker is there and cannot take anybody for now"),
    134: (4, "user name or password are not right; activate the agent anew, or see [channel] in the config file"),
    135: (
        5,
        "the broker does not let this agent in: it is revoked, or the clock of this machine is wrong; see the hub",
    ),
}
"""By paho's number: the return code of CONNACK (MQTT 3.1.1, 3.2.2.3) and what it means."""
_BUSY = 3
NOT_MQTT = "what came is no MQTT"
"""What is said of a connection that ended for that; to be given to `lost`."""
_CLIENT_CERTIFICATE = re.compile(r"ALERT_(?:BAD_|UNKNOWN_CA|CERTIFICATE|ACCESS_DENIED)|CERTIFICATE_REQUIRED")
_STALLS: dict[Phase, str] = {
    "reach": "a connection was neither accepted nor refused: packets are dropped on the way (a firewall)",
    "tls": "the connection stands, but TLS got no answer: a firewall, or no TLS port",
    "upgrade": "TLS stands, but the WebSocket got no answer: a firewall that inspects, or no broker",
    "login": "the connection stands, but the broker did not answer the login",
    "subscribe": "the broker let the agent in and did not answer the subscription",
    "up": "the broker fell silent",
}
_NETWORK = {
    errno.ECONNREFUSED: "nothing listens there (or at the proxy, if there is one); it is stopped, or the port is wrong",
    errno.EHOSTUNREACH: "there is no route to it",
    errno.ENETUNREACH: "there is no route to it",
    errno.EACCES: "a firewall on this machine forbids it",
    errno.EPERM: "a firewall on this machine forbids it",
}
_CUT: dict[Phase, str] = {
    "reach": "the line was cut while it came about",
    "tls": "the other end closed while TLS came about: a firewall, or no TLS port",
    "upgrade": "the other end closed instead of opening the WebSocket: a firewall, or a client certificate that it "
    "refuses",
    "login": "the other end closed instead of answering the login: no MQTT broker, or it refuses the agent's "
    "certificate",
    "subscribe": "the broker let the agent in and closed: it may not allow the topic",
    "up": "the line was cut",
}

_CERTIFICATE_REFUSED = "the broker refuses the agent's certificate, or asks for one"
_TRUST = (
    "its certificate is not trusted or is for another name; see the address, and name the broker's CA in "
    "hub.ca_file or, where a firewall inspects TLS, the firewall's"
)
_BY_KIND: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (ssl.SSLCertVerificationError, _TRUST),
    (
        (ssl.SSLEOFError, ssl.SSLZeroReturnError),
        "the other end closed while TLS came about: a firewall, or no TLS port",
    ),
    (ssl.SSLError, "TLS did not come about; is that a TLS port, of TLS 1.2 or newer?"),
    (DcaError, "it was not tried"),
)


class LineError(ChannelError):
    """A connection did not come about, or ended."""

    def __init__(self, message: str, *, refused: bool = False, closed_by_broker: bool = False) -> None:
        super().__init__(message)
        self.refused = refused
        """The broker was reached and said no: another route would not help."""
        self.closed_by_broker = closed_by_broker
        """It was closed in order, not cut."""


def explain(route: Route, phase: Phase, error: Exception) -> LineError:
    """Return what an exception means that came up in `phase`."""
    said = " ".join(str(error).split())[:_SHOWN]
    return _failed(route, _reason(route, phase, error), said or type(error).__name__)


def refused(route: Route, code: int) -> LineError:
    """Return what a CONNACK means that says no; `code` is paho's number for it."""
    number, words = _REFUSALS.get(code, (code, "the broker refuses the login"))
    return LineError(_words(route, words, f"CONNACK {number}"), refused=number != _BUSY)


def denied(route: Route, topic: str) -> LineError:
    """Return what a SUBACK means that says no."""
    words = f"the broker does not allow this agent to subscribe to {topic!r}; see its rules (ACL) for this agent"
    return LineError(_words(route, words, "SUBACK 128"), refused=True)


def oversized(route: Route, size: int, topic: str) -> LineError:
    """Return what it means that a packet of `size` bytes is coming in."""
    words = (
        f"the broker sends a message that no task has the size of; see who publishes to {topic!r}, and remove it there"
    )
    return LineError(_words(route, words, f"{size} bytes"), refused=True)


def stalled(route: Route, phase: Phase, seconds: float) -> LineError:
    """Return what it means that nothing came for so long."""
    return _failed(route, _STALLS[phase], f"no answer within {seconds:g} s")


def lost(route: Route, phase: Phase, said: str) -> LineError:
    """Return what the end of a connection means; `said` is what the network said, nothing if it closed in order."""
    if _CLIENT_CERTIFICATE.search(said):
        return _failed(route, _CERTIFICATE_REFUSED, said)
    if said == NOT_MQTT:
        return _failed(route, "what answers there is no MQTT broker", said)
    if not said:
        return LineError(_words(route, _CUT[phase], "closed by the other end"), closed_by_broker=True)
    return _failed(route, _CUT[phase], said)


def unresolved(route: Route, said: str) -> LineError:
    """Return what it means that the route's host, or its proxy, has no address."""
    words = "the proxy's name" if route.proxy else "its name"
    return _failed(route, f"{words} cannot be resolved; see the address and the name server", said)


def taken(route: Route, client_id: str) -> str:
    """Return the warning about a client id that two use."""
    return (
        f"the broker at {route} closes the channel again and again as soon as it stands: another machine seems to log "
        f"in as {client_id!r} too. Is this machine, or its state directory, a copy of another one? Activate one of "
        "them anew. The agent waits some minutes before it tries again; tasks come with the five-minute call"
    )


def _reason(route: Route, phase: Phase, error: Exception) -> str:
    if isinstance(error, ProxyAnswerError):
        return _proxy(error.status)
    if isinstance(error, WebsocketConnectionError):
        return (
            f"what answers there opens no WebSocket at {route.path}: the path or the port is wrong, or a firewall "
            "takes WebSockets away"
        )
    if isinstance(error, ssl.SSLError) and _CLIENT_CERTIFICATE.search(str(error)):
        return _CERTIFICATE_REFUSED
    for kinds, words in _BY_KIND:
        if isinstance(error, kinds):
            return words
    if isinstance(error, TimeoutError):
        return _STALLS[phase]
    return _NETWORK.get(getattr(error, "errno", None) or 0, _CUT[phase])


def _proxy(status: int) -> str:
    if status in {_ASKS, _UNAUTHORISED}:
        return "the proxy asks for a user and password that it accepts (Basic is spoken, no NTLM or Kerberos)"
    if status in _NO_TUNNEL:
        return "the proxy allows no tunnel to it; have CONNECT to that host and port allowed"
    if status == _NOT_HTTP:
        return "what answers as the proxy is no HTTP proxy"
    return "the proxy could not reach it"


def _failed(route: Route, words: str, said: str) -> LineError:
    return LineError(_words(route, words, said))


def _words(route: Route, words: str, said: str) -> str:
    return f"the channel by {route} is down: {words} ({said})"
