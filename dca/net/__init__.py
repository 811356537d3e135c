"""What lies between the agent and everything it speaks to: addresses, names, the proxy, TLS trust."""
