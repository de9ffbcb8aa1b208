"""`cordon`, `uncordon` and `drain`: nodes that get no more pods, and nodes without pods (kubectl pkg/cmd/drain, with
pkg/drain)."""
