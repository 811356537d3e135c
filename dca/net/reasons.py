"""What gRPC's status may mean at a customer's site, in words that help."""

from __future__ import annotations

import re

__all__ = ["TOO_LARGE", "explain"]

TOO_LARGE = re.compile(r"larger than max", re.IGNORECASE)
"""In the details of RESOURCE_EXHAUSTED: the hub takes less at once than was sent."""

_SHOWN = 300
_SWALLOWED = (
    "packets are dropped on the way (a firewall), or something in between swallows the start of TLS; "
    "old middleboxes do so with the larger post-quantum hello"
)
_NO_ANSWER = f"a connection was neither accepted nor refused: {_SWALLOWED}"
_BY_CODE = {
    "UNAUTHENTICATED": "the hub does not accept this agent's certificate",
    "PERMISSION_DENIED": "the hub sends this agent away",
    "UNIMPLEMENTED": "something answers there that is no hub of this version; see the hub's address and port",
    "INVALID_ARGUMENT": "the hub could not read the report; agent and hub may be of too different versions",
    "RESOURCE_EXHAUSTED": "the hub takes no more for now",
    "DEADLINE_EXCEEDED": "the hub is connected and did not answer in time; it, or the line, is too slow",
    "INTERNAL": "the hub failed on it",
    "UNKNOWN": "the hub failed on it",
}
_TRUST = (
    "its certificate is not trusted or is for another name; see the hub's address, and name the hub's CA in "
    "hub.ca_file or, where a firewall inspects TLS, the firewall's"
)
_CUT = (
    "the line was cut, or never came about: a stopped hub, a firewall, TLS inspection, or a client certificate "
    "that it refuses"
)
_BY_WORDS = tuple(
    (re.compile(words, re.IGNORECASE), reason)
    for words, reason in (
        (
            r"response code 40[17]",
            "the proxy asks for a user and password that it accepts (Basic is spoken, no NTLM or Kerberos)",
        ),
        (r"response code 40[35]", "the proxy allows no tunnel to it; have CONNECT to that host and port allowed"),
        (r"response code \d", "the proxy could not reach it"),
        (r"certificate.?verify|hostname verif|peer name", _TRUST),
        (
            r"handshak|ssl|tls",
            f"TLS did not come about; is that a TLS port, of TLS 1.2 or newer? Or {_SWALLOWED}",
        ),
        (r"dns|resol", "its name cannot be resolved; see the hub's address and the name server"),
        (r"refused", "nothing listens there (or at the proxy, if there is one); it is stopped, or the port is wrong"),
        (r"unreachable|no route", "there is no route to it"),
        (r"", _CUT),
    )
)


def explain(
    target: str,
    code: str,
    details: str,
    *,
    connected: bool = True,
    via_proxy: bool = False,
    what: str = "report",
) -> str:
    """Return the message of a DeliveryError: what happened to whom, what it may be, what gRPC said.

    `what` names what was sent; `connected` False says that a deadline passed before there was a connection.
    """
    if via_proxy:
        target += ", through the proxy,"
    said = " ".join(details.split())[:_SHOWN]
    reason = _BY_CODE.get(code) if connected or code != "DEADLINE_EXCEEDED" else _NO_ANSWER
    if reason is None:
        reason = next(reason for words, reason in _BY_WORDS if words.search(said))
    return f"the hub at {target} did not take the {what}: {reason} ({code}: {said})"
