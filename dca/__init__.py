"""dca: an open, self-hostable print-fleet monitoring agent, and the hub it reports to."""

__version__ = "0.1.0"
