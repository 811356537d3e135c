"""The config file, typed: `load` it, `parse` a text, write an `example`, follow it with `ConfigWatch`."""

from dca.config.channel import ChannelConfig
from dca.config.load import load, parse
from dca.config.paths import default_path, default_state_dir
from dca.config.policy import PolicyConfig, PolicyRule
from dca.config.quiet import QuietHours
from dca.config.remote import change_remote, load_with_remote
from dca.config.render import example
from dca.config.settings import (
    AgentConfig,
    Config,
    Endpoint,
    HubConfig,
    LimitsConfig,
    LogConfig,
    ScheduleConfig,
)
from dca.config.watch import ConfigWatch

__all__ = [
    "AgentConfig",
    "ChannelConfig",
    "Config",
    "ConfigWatch",
    "Endpoint",
    "HubConfig",
    "LimitsConfig",
    "LogConfig",
    "PolicyConfig",
    "PolicyRule",
    "QuietHours",
    "ScheduleConfig",
    "change_remote",
    "default_path",
    "default_state_dir",
    "example",
    "load",
    "load_with_remote",
    "parse",
]
