"""PromQL's functions: argument types, arity, result type. Source: Prometheus 3.14 promql/parser/functions.go.

How each is evaluated is in query/exec and query/kernels; here is only what parsing and checking need.
"""

from dataclasses import dataclass

from spyglass.query.promql.ast import ValueType


@dataclass(frozen=True, slots=True)
class Function:
    """variadic: 0 fixed arity; n > 0: the last argument type may be missing or occur up to n times; -1: any number."""

    name: str
    args: tuple[ValueType, ...]
    returns: ValueType = "vector"
    variadic: int = 0
    experimental: bool = False


_TYPES: dict[str, ValueType] = {"v": "vector", "m": "matrix", "s": "scalar", "t": "string"}


def _of(name: str, args: str, returns: str = "v", variadic: int = 0, experimental: bool = False) -> Function:
    return Function(name, tuple(_TYPES[a] for a in args), _TYPES[returns], variadic, experimental)


_VECTOR_TO_VECTOR = (
    "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count "
    "histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp"
)
_MATRIX_TO_VECTOR = (
    "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate "
    "last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"
)
_EXPERIMENTAL_MATRIX = (
    "mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time"
)
_CALENDAR = "day_of_month day_of_week day_of_year days_in_month hour minute month year"

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        *(_of(name, "v") for name in _VECTOR_TO_VECTOR.split()),
        *(_of(name, "m") for name in _MATRIX_TO_VECTOR.split()),
        *(_of(name, "m", experimental=True) for name in _EXPERIMENTAL_MATRIX.split()),
        *(_of(name, "v", variadic=1) for name in _CALENDAR.split()),
        _of("clamp", "vss"),
        _of("clamp_max", "vs"),
        _of("clamp_min", "vs"),
        _of("double_exponential_smoothing", "mss", experimental=True),
        _of("end", "", "s", experimental=True),
        _of("histogram_fraction", "ssv"),
        _of("histogram_quantile", "sv"),
        _of("histogram_quantiles", "vtss", variadic=9, experimental=True),
        _of("info", "vv", variadic=1, experimental=True),
        _of("label_join", "vttt", variadic=-1),
        _of("label_replace", "vtttt"),
        _of("max_of", "ss", "s", experimental=True),
        _of("min_of", "ss", "s", experimental=True),
        _of("pi", "", "s"),
        _of("predict_linear", "ms"),
        _of("quantile_over_time", "sm"),
        _of("range", "", "s", experimental=True),
        _of("round", "vs", variadic=1),
        _of("scalar", "v", "s"),
        _of("sort_by_label", "vt", variadic=-1, experimental=True),
        _of("sort_by_label_desc", "vt", variadic=-1, experimental=True),
        _of("start", "", "s", experimental=True),
        _of("start_timestamp", "v", experimental=True),
        _of("step", "", "s", experimental=True),
        _of("time", "", "s"),
        _of("vector", "s"),
    )
}
