from __future__ import annotations

import pytest

from tests.transport.scripted import Authority


@pytest.fixture(scope="package")
def authority() -> Authority:
    return Authority()
