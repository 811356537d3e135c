"""How the agent hears of tasks at once: MQTT over WebSocket and TLS on 443, MQTT over TLS on 8883 where that fails.

`Channel` holds the connection; `channel_plan` makes its arguments from the config and from what the hub said.
"""

from dca.channel.channel import Channel
from dca.channel.plan import Plan, channel_plan
from dca.channel.terms import Limits, Login, Route, State, Topics

__all__ = ["Channel", "Limits", "Login", "Plan", "Route", "State", "Topics", "channel_plan"]
