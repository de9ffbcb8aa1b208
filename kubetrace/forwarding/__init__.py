"""`port-forward`: local ports that lead to a pod's (client-go tools/portforward)."""
