"""Objects in the user's editor: `edit`, `apply edit-last-applied` and `create --edit` (kubectl pkg/cmd/util/editor)."""
