"""`explain`'s pages: a kind, or a field of it, as its OpenAPI schema describes it."""
