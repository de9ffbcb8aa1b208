"""`kuberc view` and `kuberc set`: the file of a user's preferences (kubectl pkg/cmd/kuberc)."""
