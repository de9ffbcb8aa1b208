"""`auth …` (kubectl pkg/cmd/auth), one module a command."""
