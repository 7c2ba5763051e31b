"""Settings: read from the environment, overruled by the caller, refused in one sentence naming it."""

import os
from pathlib import Path

import pytest

from tapwatt.settings import PROGRAMS, Settings, UnableToConfigure, settings_table, without_password


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TAPWATT_"):
            monkeypatch.delenv(name)


def test_nothing_set_gives_the_addresses_of_the_guides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.read()
    assert settings.host == "127.0.0.1"
    assert (settings.http_port, settings.forecourt_port, settings.ocpp_port) == (8080, 8090, 9000)
    assert (settings.edge_port, settings.terminal_port) == (9100, 20007)
    assert [getattr(settings, f"{host}_port") for host in PROGRAMS[2:]] == [7010, 7020, 7030, 7040]
    assert [getattr(settings, f"{host}_http_port") for host in PROGRAMS[2:]] == [7011, 7021, 7031, 7041]
    assert settings.data == tmp_path / ".tapwatt"


def test_the_environment_outranks_the_default_and_the_caller_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAPWATT_HTTP_PORT", "1234")
    monkeypatch.setenv("TAPWATT_OCPP_ADMISSION", "list")
    assert Settings.read().http_port == 1234
    assert Settings.read(http_port=0, ocpp_port=None).http_port == 0
    assert Settings.read().ocpp_admission == "list"


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPWATT_HTTP_PORT", "")
    assert Settings.read().http_port == 8080


def test_a_free_port_is_no_place_to_dial() -> None:
    settings = Settings.read(edge_port=0, terminal_port=4711)
    assert settings.port_to_dial("terminal_port") == 4711
    with pytest.raises(UnableToConfigure, match="TAPWATT_EDGE_PORT is 0"):
        settings.port_to_dial("edge_port")


def test_every_program_has_its_own_database(tmp_path: Path) -> None:
    settings = Settings.read(data=tmp_path, edge_database_url="sqlite://")
    urls = {program: settings.database_url(program) for program in ("platform", "edge", "issuer")}
    assert urls == {
        "platform": f"sqlite:///{tmp_path}/platform.sqlite",
        "edge": "sqlite://",
        "issuer": f"sqlite:///{tmp_path}/issuer.sqlite",
    }


def test_a_database_may_be_postgresql_and_its_password_is_not_shown() -> None:
    url = "postgresql://app:hush@db.example/books?password=hush&sslmode=require"
    assert Settings.read(platform_database_url=url).database_url("platform") == url
    assert without_password(url) == "postgresql://app:***@db.example/books?password=***&sslmode=require"
    assert without_password("sqlite:////tmp/a:b@c") == "sqlite:////tmp/a:b@c"
    assert without_password("postgresql://app@/books?host=/tmp") == "postgresql://app@/books?host=/tmp"


def test_any_number_of_listeners_may_ask_for_a_free_port() -> None:
    settings = Settings.read(http_port=0, ocpp_port=0, gateway_port=0)
    assert (settings.http_port, settings.ocpp_port, settings.gateway_port) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TAPWATT_HTTP_PORT", "eighty", "integer"),
        ("TAPWATT_HTTP_PORT", "65536", "65535"),
        ("TAPWATT_EDGE_PORT", "-1", "0"),
        ("TAPWATT_HTTP_PORT", "7010", "TAPWATT_GATEWAY_PORT"),
        ("TAPWATT_HOST", "0.0.0.0", "loopback"),
        ("TAPWATT_HOST", "192.0.2.7", "loopback"),
        ("TAPWATT_HOST", "everywhere", "127.0.0.1"),
        ("TAPWATT_OCPP_ADMISSION", "maybe", "'open' or 'list'"),
        ("TAPWATT_LOG_LEVEL", "loud", "'warning'"),
        ("TAPWATT_EDGE_DATABASE_URL", "mysql://somewhere", "postgresql://"),
        ("TAPWATT_SCHEME_TIMEOUT_S", "0", "greater than 0"),
        ("TAPWATT_SCHEME_TIMEOUT_S", "nan", "number"),
        ("TAPWATT_SCHEME_TIMEOUT_S", "22", "TAPWATT_ACQUIRER_TIMEOUT_S"),
        ("TAPWATT_GATEWAY_TIMEOUT_S", "45", "TAPWATT_TERMINAL_TIMEOUT_S"),
        ("TAPWATT_ACQUIRER_TIMEOUT_S", "31", "TAPWATT_GATEWAY_TIMEOUT_S"),
        ("TAPWATT_FORWARD_FIRST_RETRY_S", "301", "TAPWATT_FORWARD_LONGEST_RETRY_S"),
        ("TAPWATT_HTP_PORT", "80", "TAPWATT_HTTP_PORT"),
    ],
)
def test_a_value_that_makes_no_sense_is_one_sentence_naming_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UnableToConfigure) as refused:
        Settings.read()
    sentence = str(refused.value)
    assert name in sentence
    assert says in sentence
    assert "\n" not in sentence


def test_the_data_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnableToConfigure, match="TAPWATT_DATA"):
        Settings.read(data=tmp_path / "file")


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(UnableToConfigure, match="TAPWATT_HTTP_PROT"):
        Settings.read(http_prot=1)


def test_every_setting_is_described() -> None:
    assert all((field.description or "").endswith(".") for field in Settings.model_fields.values())
    assert settings_table().count("\n") == len(Settings.model_fields) + 2


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"http_host": "0.0.0.0"}, "TAPWATT_HTTP_HOST is 0.0.0.0, outside loopback: then TAPWATT_PUBLIC_URL"),
        ({"http_host": "::", "public_url": "http://pay.example.com"}, "must begin with https://"),
        ({"http_host": "example.com"}, "TAPWATT_HTTP_HOST must be an address of this machine"),
        ({"host": "0.0.0.0", "public_url": "https://pay.example.com"}, "TAPWATT_HOST must be a loopback"),
    ],
)
def test_nothing_leaves_loopback_by_accident(chosen: dict[str, str], sentence: str) -> None:
    with pytest.raises(UnableToConfigure, match=sentence):
        Settings.read(**chosen)


def test_the_console_may_leave_loopback_behind_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPWATT_TOKEN", "a token of the shell is no setting")
    settings = Settings.read(http_host="0.0.0.0", public_url="https://pay.example.com")
    assert (settings.http_host, settings.host) == ("0.0.0.0", "127.0.0.1")
