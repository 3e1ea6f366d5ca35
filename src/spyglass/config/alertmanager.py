"""alertmanager.yml: read and checked as Alertmanager 0.34 checks it, so that `spyglass check config` tells before it is needed.

Unknown keys are errors, as upstream's. Both generations of matchers load (match, match_re, matchers), as do mute_time_intervals
at the top level. Source of keys: the Alertmanager configuration documentation.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from spyglass.config.source import Document, KeyPath, read_yaml
from spyglass.config.units import DurationMs
from spyglass.text.regex import RegexError, compile_regex

HTTP_KEYS = "http_config send_resolved"

INTEGRATIONS: dict[str, str] = {
    "email": "to from smarthost hello auth_username auth_password auth_password_file auth_secret auth_secret_file auth_identity "
    "headers html text require_tls tls_config force_implicit_tls threading",
    "webhook": "url url_file max_alerts timeout payload",
    "slack": "api_url api_url_file app_token app_token_file app_url channel username color title title_link pretext text fields "
    "short_fields footer fallback callback_id icon_emoji icon_url image_url thumb_url link_names mrkdwn_in actions timeout "
    "message_text update_message",
    "pagerduty": "service_key service_key_file routing_key routing_key_file url client client_url description severity details "
    "images links source class component group timeout",
    "opsgenie": "api_key api_key_file api_url message description source details entity responders actions tags note priority "
    "update_alerts",
    "pushover": "user_key user_key_file token token_file title message url url_title device sound priority retry expire ttl "
    "html monospace",
    "telegram": "api_url token token_file bot_token bot_token_file chat_id chat_id_file chat message disable_notifications "
    "parse_mode message_thread_id",
    "discord": "webhook_url webhook_url_file content username avatar_url title message",
    "msteams": "webhook_url webhook_url_file title summary text",
    "msteamsv2": "webhook_url webhook_url_file title text",
    "victorops": "api_key api_key_file api_url routing_key message_type state_message entity_display_name monitoring_tool "
    "custom_fields",
    "wechat": "api_secret api_secret_file api_url corp_id message message_type agent_id to_user to_party to_tag",
    "sns": "api_url sigv4 topic_arn phone_number target_arn subject message attributes",
    "webex": "api_url room_id message",
    "rocketchat": "api_url channel token token_file token_id token_id_file color emoji icon_url text title title_link fields "
    "image_url thumb_url link_names short_fields actions",
    "jira": "api_url api_type project summary description labels priority issue_type reopen_transition resolve_transition "
    "wont_fix_resolution reopen_duration fields custom_fields",
    "mattermost": "webhook_url webhook_url_file text channel username icon_url icon_emoji attachments type props priority fallback "
    "color pretext author_name author_link author_icon title title_link fields thumb_url footer footer_icon image_url",
    "incidentio": "url url_file alert_source_token alert_source_token_file max_alerts timeout metadata",
}
"""Integration -> the keys of its block, beside http_config and send_resolved."""

_MATCHER = re.compile(
    r"""\s*(?:[a-zA-Z_:][\w:]*|"(?:[^"\\]|\\.)*")\s*(?:=~|!~|!=|=)\s*(?:"(?:[^"\\]|\\.)*"|[^"{},]*)\s*"""
)


def _url(value: object) -> object:
    if isinstance(value, str) and value not in ("<secret>", ""):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https"):
            raise ValueError(f'unsupported scheme "{parts.scheme}" for URL')
        if not parts.netloc:
            raise ValueError("missing host for URL")
    return value


def _host_port(value: object) -> object:
    if isinstance(value, str) and value and not re.search(r":\w+$", value):
        raise ValueError(f"address {value}: missing port in address")
    return value


Url = Annotated[str, BeforeValidator(_url)]
HostPort = Annotated[str, BeforeValidator(_host_port)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Global(_Strict):
    resolve_timeout: DurationMs = 300_000
    http_config: dict[str, Any] | None = None
    smtp_from: str = ""
    smtp_hello: str = "localhost"
    smtp_smarthost: HostPort = ""
    smtp_auth_username: str = ""
    smtp_auth_password: str = ""
    smtp_auth_password_file: str = ""
    smtp_auth_secret: str = ""
    smtp_auth_secret_file: str = ""
    smtp_auth_identity: str = ""
    smtp_require_tls: bool = True
    smtp_tls_config: dict[str, Any] | None = None
    smtp_force_implicit_tls: bool | None = None
    slack_api_url: Url = ""
    slack_api_url_file: str = ""
    slack_app_token: str = ""
    slack_app_token_file: str = ""
    slack_app_url: Url = ""
    pagerduty_url: Url = ""
    opsgenie_api_key: str = ""
    opsgenie_api_key_file: str = ""
    opsgenie_api_url: Url = ""
    wechat_api_url: Url = ""
    wechat_api_secret: str = ""
    wechat_api_secret_file: str = ""
    wechat_api_corp_id: str = ""
    victorops_api_url: Url = ""
    victorops_api_key: str = ""
    victorops_api_key_file: str = ""
    telegram_api_url: Url = ""
    telegram_bot_token: str = ""
    telegram_bot_token_file: str = ""
    webex_api_url: Url = ""
    jira_api_url: Url = ""
    rocketchat_api_url: Url = ""
    rocketchat_token: str = ""
    rocketchat_token_file: str = ""
    rocketchat_token_id: str = ""
    rocketchat_token_id_file: str = ""
    mattermost_webhook_url: Url = ""
    mattermost_webhook_url_file: str = ""


class Route(_Strict):
    """One node of the routing tree."""

    receiver: str = ""
    group_by: tuple[str, ...] = ()
    continue_: bool = Field(default=False, alias="continue")
    match: dict[str, str | int | float | bool] = Field(default_factory=dict)
    match_re: dict[str, str | int | float | bool] = Field(default_factory=dict)
    matchers: tuple[str, ...] | str = ()
    group_wait: DurationMs | None = None
    group_interval: DurationMs | None = None
    repeat_interval: DurationMs | None = None
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    routes: "tuple[Route, ...]" = ()


class InhibitRule(_Strict):
    name: str = ""
    source_match: dict[str, str | int | float | bool] = Field(default_factory=dict)
    source_match_re: dict[str, str | int | float | bool] = Field(default_factory=dict)
    source_matchers: tuple[str, ...] | str = ()
    target_match: dict[str, str | int | float | bool] = Field(default_factory=dict)
    target_match_re: dict[str, str | int | float | bool] = Field(default_factory=dict)
    target_matchers: tuple[str, ...] | str = ()
    equal: tuple[str, ...] = ()


class TimeInterval(_Strict):
    name: str
    time_intervals: tuple[dict[str, Any], ...] = ()


class AlertmanagerConfig(_Strict):
    """The whole file; receivers stay plain mappings, checked key by key."""

    global_: Global = Field(default=Global.model_construct(), alias="global")
    route: Route | None = None
    inhibit_rules: tuple[InhibitRule, ...] = ()
    receivers: tuple[dict[str, Any], ...] = ()
    templates: tuple[str, ...] = ()
    mute_time_intervals: tuple[TimeInterval, ...] = ()
    time_intervals: tuple[TimeInterval, ...] = ()
    tracing: dict[str, Any] | None = None


def load_alertmanager(path: Path) -> tuple[AlertmanagerConfig, list[str]]:
    """Read one file. Returns it with warnings (`file:line: ...`). Raises ConfigError."""
    document = read_yaml(path)
    config = document.without_nulls().validate(AlertmanagerConfig)
    if config.route is None:
        raise document.error(("route",), "no route provided in config")
    names = _check_receivers(document, config)
    if not config.route.receiver:
        raise document.error(("route",), "root route must specify a default receiver")
    if config.route.match or config.route.match_re or config.route.matchers:
        raise document.error(("route",), "root route must not have any matchers")
    intervals = {interval.name for interval in (*config.time_intervals, *config.mute_time_intervals)}
    for path_, route in _routes(config.route, ("route",)):
        _check_route(document, path_, route, names, intervals)
    for index, rule in enumerate(config.inhibit_rules):
        for key in ("source_matchers", "target_matchers"):
            _check_matchers(document, ("inhibit_rules", index, key), getattr(rule, key))
        for key in ("source_match_re", "target_match_re"):
            _check_regexes(document, ("inhibit_rules", index, key), getattr(rule, key))
    return config, []


def _routes(route: Route, path: KeyPath) -> Iterator[tuple[KeyPath, Route]]:
    yield path, route
    for index, child in enumerate(route.routes):
        yield from _routes(child, (*path, "routes", index))


def _check_route(document: Document, path: KeyPath, route: Route, receivers: set[str], intervals: set[str]) -> None:
    if route.receiver and route.receiver not in receivers:
        raise document.error((*path, "receiver"), f'undefined receiver "{route.receiver}" used in route')
    if "..." in route.group_by and len(route.group_by) > 1:
        raise document.error(
            (*path, "group_by"), "cannot have wildcard group_by (`...`) and other other labels at the same time"
        )
    if len(set(route.group_by)) < len(route.group_by):
        raise document.error((*path, "group_by"), "a label is named twice")
    for key in ("group_interval", "repeat_interval"):
        if getattr(route, key) == 0:
            raise document.error((*path, key), f"{key} cannot be zero")
    for key in ("mute_time_intervals", "active_time_intervals"):
        for name in getattr(route, key):
            if name not in intervals:
                raise document.error((*path, key), f'undefined time interval "{name}" used in route')
    _check_matchers(document, (*path, "matchers"), route.matchers)
    _check_regexes(document, (*path, "match_re"), route.match_re)


def _check_matchers(document: Document, path: KeyPath, matchers: tuple[str, ...] | str) -> None:
    for index, text in enumerate((matchers,) if isinstance(matchers, str) else matchers):
        body = text.strip().removeprefix("{").removesuffix("}").rstrip(", ")
        if body and not re.fullmatch(f"{_MATCHER.pattern}(?:,{_MATCHER.pattern})*", body):
            raise document.error((*path, index), f"bad matcher format: {text}")


def _check_regexes(document: Document, path: KeyPath, regexes: dict[str, Any]) -> None:
    for name, pattern in regexes.items():
        try:
            compile_regex(str(pattern))
        except RegexError as err:
            raise document.error((*path, name), str(err)) from None


def _check_receivers(document: Document, config: AlertmanagerConfig) -> set[str]:
    names: set[str] = set()
    for index, receiver in enumerate(config.receivers):
        path: KeyPath = ("receivers", index)
        name = receiver.get("name")
        if not isinstance(name, str) or not name:
            raise document.error(path, "missing name in receiver")
        if name in names:
            raise document.error(path, f'notification config name "{name}" is not unique')
        names.add(name)
        for key, blocks in receiver.items():
            if key != "name":
                _check_integration(document, (*path, key), key, blocks, config)
    return names


def _check_integration(document: Document, path: KeyPath, key: str, blocks: Any, config: AlertmanagerConfig) -> None:
    kind = key.removesuffix("_configs")
    if kind not in INTEGRATIONS or not key.endswith("_configs"):
        raise document.error(path, f"field {key} is not known here")
    if not isinstance(blocks, list):
        raise document.error(path, "should be a list")
    allowed = set(f"{INTEGRATIONS[kind]} {HTTP_KEYS}".split())
    for index, block in enumerate(blocks):
        place = (*path, index)
        if not isinstance(block, dict):
            raise document.error(place, "should be a mapping")
        for name in block:
            if name not in allowed:
                raise document.error((*place, name), f"field {name} is not known here")
        _check_required(document, place, kind, block, config.global_)


def _check_required(document: Document, place: KeyPath, kind: str, block: dict[str, Any], defaults: Global) -> None:
    for name in ("url", "api_url", "webhook_url"):
        try:
            _url(block.get(name))
        except ValueError as err:
            raise document.error((*place, name), str(err)) from None
    needs = {
        "email": (("to",),),
        "webhook": (("url", "url_file"),),
        "pagerduty": (("service_key", "service_key_file", "routing_key", "routing_key_file"),),
        "telegram": (("chat_id", "chat_id_file", "chat"),),
        "pushover": (("user_key", "user_key_file"), ("token", "token_file")),
    }
    for alternatives in needs.get(kind, ()):
        if not any(block.get(name) for name in alternatives):
            raise document.error(place, f"missing {' or '.join(alternatives)} in {kind} config")
    if kind == "email" and not (block.get("smarthost") or defaults.smtp_smarthost):
        raise document.error(place, "no global SMTP smarthost set")
    if kind == "email" and not (block.get("from") or defaults.smtp_from):
        raise document.error(place, "no global SMTP from set")
    if kind == "email":
        try:
            _host_port(block.get("smarthost"))
        except ValueError as err:
            raise document.error((*place, "smarthost"), str(err)) from None
    slack_url = (
        defaults.slack_api_url
        or defaults.slack_api_url_file
        or defaults.slack_app_token
        or defaults.slack_app_token_file
    )
    own = any(block.get(name) for name in ("api_url", "api_url_file", "app_token", "app_token_file"))
    if kind == "slack" and not (own or slack_url):
        raise document.error(place, "no global Slack API URL set either inline or in a file")
    if kind == "opsgenie" and not (
        block.get("api_key") or block.get("api_key_file") or defaults.opsgenie_api_key or defaults.opsgenie_api_key_file
    ):
        raise document.error(place, "no global OpsGenie API Key set either inline or in a file")
