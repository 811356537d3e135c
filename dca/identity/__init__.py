"""Who the agent is: activation, keys at rest, certificate, renewal, lockout."""
