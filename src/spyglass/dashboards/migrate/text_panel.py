"""The text panel: mode and content stood beside the options; `text2` was its name for a while."""

from spyglass.dashboards.migrate.values import Json, obj, text

MODES = ("markdown", "html", "code")


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") not in ("text", "text2"):
        return
    panel["type"] = "text"
    options = obj(panel.get("options"))
    if "content" not in options and isinstance(panel.get("content"), str):
        options = {**options, "content": panel["content"], "mode": panel.get("mode")}
    panel.pop("content", None)
    panel.pop("mode", None)
    panel.pop("style", None)
    options["content"] = text(options.get("content"))
    # "text" (plain) is gone; Markdown shows it as it is, but for markup.
    options["mode"] = options["mode"] if options.get("mode") in MODES else "markdown"
    panel["options"] = options
