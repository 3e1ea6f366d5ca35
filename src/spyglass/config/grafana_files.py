"""What Grafana's provisioning files hold, block by block. Source: Grafana's documentation, "Provision Grafana"."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel


class Block(BaseModel):
    """camelCase in files (snake_case in the oldest); what is not known is warned about, not refused."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        coerce_numbers_to_str=True,
        defer_build=True,
    )


class DatasourceEntry(Block):
    """One data source as the file gives it."""

    name: str
    type: str
    uid: str = ""
    access: str = "proxy"
    org_id: int = 1
    url: str = ""
    user: str = ""
    password: str = ""
    database: str = ""
    basic_auth: bool = False
    basic_auth_user: str = ""
    basic_auth_password: str = ""
    with_credentials: bool = False
    is_default: bool = False
    editable: bool = False
    version: int = 1
    json_data: dict[str, Any] = Field(default_factory=dict)
    secure_json_data: dict[str, str] = Field(default_factory=dict)

    @field_validator("name", "type")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty")
        return value


class DeleteEntry(Block):
    """A data source that an earlier file had made."""

    name: str
    org_id: int = 1


class DatasourcesFile(Block):
    api_version: int = 0
    datasources: tuple[DatasourceEntry, ...] = ()
    delete_datasources: tuple[DeleteEntry, ...] = ()
    prune: bool = False


class ProviderOptions(Block):
    """path: a folder of dashboard files, or one file. `folder` is its oldest name."""

    path: str = ""
    folder: str = ""
    folders_from_files_structure: bool = False


class ProviderEntry(Block):
    """One dashboard provider as the file gives it."""

    name: str = "default"
    org_id: int = 1
    folder: str = ""
    folder_uid: str = ""
    type: str = "file"
    disable_deletion: bool = False
    editable: bool = True
    allow_ui_updates: bool = False
    update_interval_seconds: float = Field(default=10, ge=0)
    options: ProviderOptions = ProviderOptions.model_construct()


class DashboardsFile(Block):
    api_version: int = 0
    providers: tuple[ProviderEntry, ...] = ()
