"""What `debug` makes: containers in running pods, copies of pods, pods on nodes (kubectl pkg/cmd/debug)."""
