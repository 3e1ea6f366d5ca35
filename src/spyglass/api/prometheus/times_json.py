"""Times as Prometheus' JSON writes them."""


def format_time(ms: int) -> str:
    """Seconds, with three digits of fraction only where there is one.

    >>> format_time(1435781451781), format_time(1435781451000), format_time(1435781451001)
    ('1435781451.781', '1435781451', '1435781451.001')
    """
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    seconds, fraction = divmod(ms, 1000)
    return f"{sign}{seconds}.{fraction:03d}" if fraction else f"{sign}{seconds}"
