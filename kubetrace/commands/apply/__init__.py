"""`apply`: objects brought to the state that manifests describe, and the annotation that remembers what was applied
last (kubectl pkg/cmd/apply)."""
