"""kubetrace: see exactly how Kubernetes commands become HTTP calls."""

__version__ = "0.1.0"
