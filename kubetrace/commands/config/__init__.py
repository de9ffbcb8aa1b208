"""`config …`: one module a subcommand (kubectl pkg/cmd/config)."""
