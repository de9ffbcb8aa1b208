"""`top …` (kubectl pkg/cmd/top), one module a command."""
