"""`proxy`: a gateway on a local port to one API server, with the kubeconfig's credentials (kubectl pkg/proxy)."""
