"""kubetrace held against the real kubectl on two equal real control planes: calls, bodies, stdout, exit code and log.

KUBEBUILDER_ASSETS=… python -m tests.conformance --help
"""
