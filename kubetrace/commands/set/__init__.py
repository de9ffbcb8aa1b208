"""`set`: single fields of objects that have pods (kubectl pkg/cmd/set)."""
