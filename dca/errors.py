"""Every error that dca raises on purpose.

    DcaError
    ├── ConfigError             the config file cannot be used
    ├── NotAllowedError         an address outside the ranges was about to be contacted
    ├── SnmpError
    │   ├── NoAnswerError       nothing came back within the timeout and its retries
    │   ├── AuthFailedError     answered, but the credential was not accepted (says which step)
    │   ├── RefusedError        answered with an error-status
    │   └── BadReplyError       answered with something that is no SNMP reply to what was asked
    ├── ProfileError            a vendor profile cannot be used
    ├── StoreError              the state file
    │   ├── StoreFullError      the cap or the disk is reached
    │   └── StoreDamagedError   it cannot be read as it is
    ├── DeliveryError           the hub did not take what was sent
    ├── IdentityError           there is no identity, or it cannot be used
    │   ├── ActivationRefusedError  the hub judged the code and said no
    │   └── LockedError         five activations failed: nothing is sent until dca unlock
    ├── AuditError              the audit log cannot be written or does not hold together
    ├── TaskError               a task cannot be done
    ├── ChannelError            the broker cannot be reached or does not let the agent in
    └── HubError                the hub cannot start or go on

A message says what happened, to which device or file, and what to do. Causes are chained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ActivationRefusedError",
    "AuditError",
    "AuthFailedError",
    "AuthStep",
    "BadReplyError",
    "ChannelError",
    "ConfigError",
    "ConfigProblem",
    "DcaError",
    "DeliveryError",
    "HubError",
    "IdentityError",
    "LockedError",
    "NoAnswerError",
    "NotAllowedError",
    "ProfileError",
    "RefusedError",
    "SnmpError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "TaskError",
]


class DcaError(Exception):
    """The root: catching it catches what dca itself raises, and no bug."""


@dataclass(frozen=True)
class ConfigProblem:
    """One thing that is wrong in the config file."""

    key: str
    """Dotted path, e.g. ``range[2].credentials``; empty for the file itself."""
    message: str
    """What is wrong and what is allowed."""
    line: int | None = None
    """1-based line in the file, where it is known."""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key + ': ' if self.key else ''}{self.message}"


class ConfigError(DcaError):
    """The config file cannot be used; `problems` holds every reason at once."""

    def __init__(self, path: str, problems: list[ConfigProblem]) -> None:
        self.path = path
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{path} cannot be used:\n{lines}")


class NotAllowedError(DcaError):
    """An address outside the configured ranges was about to be contacted; nothing was sent."""


class SnmpError(DcaError):
    """A device did not give what was asked over SNMP."""


class NoAnswerError(SnmpError):
    """Nothing came back within the timeout and its retries."""


AuthStep = Literal[
    "unknown_user", "wrong_auth", "wrong_privacy", "not_in_time_window", "no_view", "security_level", "unknown_context"
]


class AuthFailedError(SnmpError):
    """The device answered, but did not accept the credential.

    `step` is where it failed: ``unknown_user``, ``wrong_auth``, ``wrong_privacy``,
    ``not_in_time_window``, ``no_view`` (accepted, but may not see the object),
    ``security_level`` (the device wants a stronger or a weaker level) or ``unknown_context``.
    """

    def __init__(self, message: str, step: AuthStep) -> None:
        super().__init__(message)
        self.step: AuthStep = step


class RefusedError(SnmpError):
    """The device answered with an error-status (RFC 3416) that no smaller request cures."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class BadReplyError(SnmpError):
    """The device answered with something that is no SNMP reply to what was asked."""


class ProfileError(DcaError):
    """A vendor profile (``dca/printers/profiles/*.toml`` or a customer's own) cannot be used."""


class StoreError(DcaError):
    """The state file cannot do what was asked."""


class StoreFullError(StoreError):
    """The state file's cap or the disk is reached, and nothing may be dropped for it."""


class StoreDamagedError(StoreError):
    """The state file cannot be read as it is."""


class DeliveryError(DcaError):
    """The hub did not take what was sent; everything stays in the outbox.

    `code` is the name of the gRPC status, e.g. ``UNAVAILABLE``, and `details` are the hub's own words; both empty
    where there was no call.
    """

    def __init__(self, message: str, code: str = "", details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.details = details


class IdentityError(DcaError):
    """The agent has no identity at its hub, or the one that it has cannot be used."""


class ActivationRefusedError(IdentityError):
    """The hub judged an activation code and refused it; this counts towards the lockout."""


class LockedError(IdentityError):
    """Five activations failed: nothing more is sent until a local administrator unlocks the agent."""


class AuditError(DcaError):
    """The audit log cannot be written, or does not hold together."""


class TaskError(DcaError):
    """A task cannot be done; the message goes to the hub.

    `code` says the same to programs, e.g. ``denied``, ``no_device``, ``expired`` (see task.proto).
    """

    def __init__(self, message: str, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class ChannelError(DcaError):
    """The broker cannot be reached, or does not let the agent in."""


class HubError(DcaError):
    """The hub cannot start or go on."""
