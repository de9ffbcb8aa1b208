"""`create …`: from manifests, and one module a subcommand (kubectl pkg/cmd/create)."""
