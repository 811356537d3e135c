"""The tamper-evident log: what the agent was asked, what was decided, what it did; each entry holds the hash of the one before."""
