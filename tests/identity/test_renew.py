"""A renewal, as far as it needs no hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dca.errors import IdentityError
from dca.identity.activate import HubPlace, renew
from dca.identity.identity import load_identity, save_identity
from dca.identity.vault import Vault
from dca.net.calls import HubCalls
from dca.wire.activation_pb2 import RenewResponse
from tests.identity.fake_hub import made_identity

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("late", [False, True])
async def test_an_identity_that_was_activated_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    vault, running, new = Vault(tmp_path), made_identity(), made_identity()
    asked: list[object] = []

    async def call(_calls: HubCalls, *_: object, **__: object) -> RenewResponse:
        asked.append(save_identity(vault, new))
        return RenewResponse(certificate_chain=running.chain)

    monkeypatch.setattr(HubCalls, "call", call)
    save_identity(vault, running if late else new)
    with pytest.raises(IdentityError, match=f"activated anew meanwhile, as {new.agent_id}: restart it"):
        await renew(running, HubPlace("127.0.0.1", 1), vault, over=False)
    assert len(asked) == late
    held = load_identity(vault)
    assert held is not None
    assert held.agent_id == new.agent_id


@pytest.mark.parametrize("chain", ["", "no certificate", "another's"])
async def test_a_certificate_that_does_not_fit_the_new_key_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain: str
) -> None:
    vault, running = Vault(tmp_path), made_identity()
    answer = made_identity().chain if chain == "another's" else chain

    async def call(_calls: HubCalls, *_: object, **__: object) -> RenewResponse:
        return RenewResponse(certificate_chain=answer)

    monkeypatch.setattr(HubCalls, "call", call)
    save_identity(vault, running)
    with pytest.raises(IdentityError, match="no certificate for this agent's new key"):
        await renew(running, HubPlace("127.0.0.1", 1), vault, over=False)
    assert load_identity(vault) == running
