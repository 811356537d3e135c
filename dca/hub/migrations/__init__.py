"""The schema's steps as numbered SQL files; `dca.hub.database` applies each once."""
