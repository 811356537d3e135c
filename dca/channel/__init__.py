"""How the agent hears of tasks at once: MQTT over WebSocket and TLS on 443, MQTT over TLS on 8883 where that fails."""
