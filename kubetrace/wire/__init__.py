"""Kubernetes' encodings."""

from __future__ import annotations

PROTOBUF = b"k8s\x00"
"""What every protobuf body of Kubernetes starts with (apimachinery, serializer/protobuf)."""
