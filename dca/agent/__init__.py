"""The running agent: builds the parts, runs them, stops them in order."""

from __future__ import annotations

from dca.agent.agent import Agent, run_agent

__all__ = ["Agent", "run_agent"]
