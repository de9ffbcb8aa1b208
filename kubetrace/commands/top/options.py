"""The options that `top node` and `top pod` share."""

from __future__ import annotations

from kubetrace.cmdline.flags import flag
from kubetrace.value import Value


class TopOptions(Value):
    no_headers: bool = flag(False, help="Leave out the heading.")
    show_swap: bool = flag(False, help="Show swap, too.")
    sort_by: str = flag("", help="What uses most comes first: 'cpu' or 'memory'.")
    use_protocol_buffers: bool = flag(True, help="Has no effect: kubetrace asks for JSON.")
