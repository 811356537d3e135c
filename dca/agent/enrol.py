"""The agent's identity in its state directory: made once, loaded at each start, unlocked by hand; all of it audited."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dca.audit import AuditLog
from dca.contract.codes import Code
from dca.errors import ActivationRefusedError, ConfigError, ConfigProblem, IdentityError, LockedError
from dca.identity.activate import HubPlace, activate
from dca.identity.identity import load_identity
from dca.identity.lockout import Lockout
from dca.identity.vault import Vault
from dca.service.logs import MASKS
from dca.service.person import who_asks
from dca.store import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from dca.config import Config
    from dca.identity.identity import Identity
    from dca.identity.lockout import Standing

__all__ = ["Enrolment", "place_of"]

log = logging.getLogger(__name__)


class Enrolment:
    """What a state directory knows of who this agent is.

    Raises:
        StoreError: the directory cannot be used.
    """

    def __init__(self, directory: Path, audit: AuditLog | None = None) -> None:
        prepare(directory)
        self.vault = Vault(directory)
        self.lockout = Lockout(directory)
        self.audit = audit or AuditLog(directory)

    def identity(self) -> Identity | None:
        """Return the identity, None before any activation. Raises IdentityError when it cannot be read."""
        found = load_identity(self.vault)
        if found is not None:
            MASKS.add(*found.secrets())
        return found

    async def activate(self, code: Code, place: HubPlace, *, again: bool = False, who: str = "agent") -> Identity:
        """Exchange a code for an identity; `who` is ``local`` for the person at the command line.

        Raises IdentityError as `dca.identity.activate.activate` does, and when there is an identity already;
        AuditError when the log cannot be written, and then nothing is sent.
        """
        there = None if again else self.identity()
        if there is not None:
            raise IdentityError(
                f"this agent is activated already, as {there.agent_id} of {there.site}; --again replaces that"
            )
        MASKS.add(code.secret, code.text())
        who = f"local:{who_asks()}" if who == "local" else who
        details = {"hub": f"{place.host}:{place.port}", "code": code.id}

        def tried() -> None:
            self.audit.append("activation_tried", f"an activation was tried at {place.host}", who=who, details=details)

        try:
            identity = await activate(code, place, self.vault, self.lockout, before_sending=tried)
        except LockedError as error:
            if self.lockout.first_to_hear():  # once: who goes on guessing does not fill the log
                self.audit.append("activation_not_sent", str(error), who=who, details=details)
            raise
        except IdentityError as error:
            word = "activation_refused" if isinstance(error, ActivationRefusedError) else "activation_unanswered"
            self.audit.append(word, str(error), who=who, details=details)
            if self.lockout.standing().locked:
                self.audit.append("locked", "five activations failed: nothing more is sent until it is unlocked")
            raise
        MASKS.add(*identity.secrets())
        details |= {"agent_id": identity.agent_id, "site": identity.site}
        self.audit.append("activated", f"activated as agent of {identity.site}", who=who, details=details)
        return identity

    def unlock(self, reason: str) -> Standing:
        """Open the lock once. Raises AuditError when that cannot be written down, and then it stays locked."""
        who = f"local:{who_asks()}"
        self.audit.append("unlocked", f"the lock was opened: {reason}", who=who, details={"reason": reason})
        return self.lockout.unlock()

    async def at_start(self, config: Config) -> Identity | None:
        """Return the identity, by the config's code if there is none yet; None where the hub is reached in plain text.

        Raises:
            IdentityError: there is none, and no code that could be used.
        """
        hub = config.require_hub()
        found = self.identity()
        if found is not None or hub.grpc_plaintext:
            return found
        if hub.activation_code is None:
            raise IdentityError(
                f"this agent has no identity yet: run dca activate CODE --hub {hub.grpc}, or name a code in "
                "hub.activation_code"
            )
        try:
            code = Code.parse(hub.activation_code.reveal())
        except ValueError as error:
            raise ConfigError(config.path, [ConfigProblem("hub.activation_code", str(error))]) from None
        found = await self.activate(code, place_of(config))
        log.info("activated as agent %s of %s", found.agent_id, found.site)
        return found


def place_of(config: Config) -> HubPlace:
    """Return where the config's hub is. Raises ConfigError when there is none."""
    hub = config.require_hub()
    return HubPlace(hub.grpc.host, hub.grpc.port, hub.proxy_for(hub.grpc), hub.ca_file)
