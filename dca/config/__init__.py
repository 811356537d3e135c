"""The config file, typed: `load` it, `parse` a text, write an `example`, follow it with `ConfigWatch`."""

from dca.config.load import load, parse
from dca.config.paths import default_path, default_state_dir
from dca.config.quiet import QuietHours
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
    "Config",
    "ConfigWatch",
    "Endpoint",
    "HubConfig",
    "LimitsConfig",
    "LogConfig",
    "QuietHours",
    "ScheduleConfig",
    "default_path",
    "default_state_dir",
    "example",
    "load",
    "parse",
]
