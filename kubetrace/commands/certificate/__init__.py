"""`certificate approve` and `certificate deny` (kubectl pkg/cmd/certificates)."""
