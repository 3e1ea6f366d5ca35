"""Times as Prometheus' JSON writes them."""

from collections.abc import Sequence

import numpy as np
import orjson


def format_time(ms: int) -> str:
    """Seconds, with three digits of fraction only where there is one.

    >>> format_time(1435781451781), format_time(1435781451000), format_time(1435781451001)
    ('1435781451.781', '1435781451', '1435781451.001')
    """
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    seconds, fraction = divmod(ms, 1000)
    return f"{sign}{seconds}.{fraction:03d}" if fraction else f"{sign}{seconds}"


def format_times(times_ms: Sequence[int]) -> list[bytes]:
    """`format_time` of many. Whole seconds, which most are, are printed all at once.

    >>> format_times([1435781451781, 1435781452000]), format_times([-1000, 0])
    ([b'1435781451.781', b'1435781452'], [b'-1', b'0'])
    """
    times = np.array(times_ms, np.int64)
    seconds, fraction = np.divmod(times, 1000)
    if fraction.any() or not len(times):
        return [format_time(time).encode() for time in times_ms]
    return orjson.dumps(seconds, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
