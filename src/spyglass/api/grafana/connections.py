"""Which dashboards show which library panels. Read from the dashboards themselves, each once for every state it was in."""

from collections.abc import Sequence

from spyglass.protocols.dashboards import DashboardInfo, DashboardLibrary


class Connections:
    """Called in worker threads; two that look at once only do the work twice."""

    def __init__(self, library: DashboardLibrary) -> None:
        self._library = library
        self._seen: dict[DashboardInfo, frozenset[str]] = {}

    def of(self, element_uid: str) -> Sequence[DashboardInfo]:
        """The dashboards that show it, by folder and title."""
        infos = self._library.all()
        seen = {
            info: self._seen[info] if info in self._seen else self._library.library_panels(info.uid) for info in infos
        }
        self._seen = seen
        return [info for info in infos if element_uid in seen[info]]
