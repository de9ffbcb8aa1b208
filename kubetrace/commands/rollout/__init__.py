"""`rollout`: how workloads get to a new version, and back (kubectl pkg/cmd/rollout)."""
