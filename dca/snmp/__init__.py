"""The protocol: credentials, codec, v3, one engine for all devices."""
