"""The file of tenants and their keys."""

import re
import stat
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.tenancy.keys_file import BadKeysFileError, KeysFile, TenantRecord

KEY = re.compile(r"rk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")


def with_key(tenant: str = "acme") -> tuple[KeysFile, str]:
    return KeysFile().with_new_key(tenant, TenantRecord(concurrency=2))


def test_a_key_opens_for_its_tenant_and_is_not_in_the_file(tmp_path) -> None:
    file, key = with_key()
    path = tmp_path / "keys.yaml"
    file.write(path)
    assert KEY.fullmatch(key)
    assert KeysFile.read(path).tenant_of(key) == "acme"
    assert key.split("_", 2)[2] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_tenant_may_have_several_keys_and_lose_one() -> None:
    file, first = with_key()
    file, second = file.with_new_key("acme", file.tenants["acme"])
    assert [file.tenant_of(key) for key in (first, second)] == ["acme", "acme"]
    file = file.without_key(first.split("_")[1])
    assert [file.tenant_of(key) for key in (first, second)] == [None, "acme"]
    assert file.tenants["acme"].concurrency == 2
    assert file.without_key("0" * 16) is None


@given(
    wrong=st.text()
    | st.from_regex(KEY, fullmatch=True)
    | st.sampled_from(["rk__", "rk_" + "0" * 16, "' OR 1=1 --"])
)
def test_no_other_text_opens(wrong) -> None:
    file, _ = with_key()
    assert file.tenant_of(wrong) is None


def test_another_secret_with_the_same_id_does_not_open() -> None:
    file, key = with_key()
    for at in range(len("rk_") + 17, len(key)):
        other = "A" if key[at] != "A" else "B"
        assert file.tenant_of(key[:at] + other + key[at + 1 :]) is None
    assert file.tenant_of(key[:20]) is None
    assert file.tenant_of(key + "A") is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tenants: {acme: {concurrency: 0}}", "tenants.acme.concurrency"),
        ("tenants: {acme: {keys: {k: {sha256: short, created: 2026-01-01}}}}", "sha256"),
        ("tenants: {No Name: {}}", "tenants.No Name"),
        ("", "keys.yaml"),
        (
            f"tenants: {{a: {{keys: {{k: {{sha256: {'a' * 64}, created: 2026-01-01}}}}}}, "
            f"b: {{keys: {{k: {{sha256: {'b' * 64}, created: 2026-01-01}}}}}}}}",
            "two tenants have a key of the same id",
        ),
        ("tenants: [", "cannot be read"),
        ("- a", "keys.yaml"),
        ("{}", "tenants: is required"),
        ("owner: me", "tenants: is required"),
        ("tenants: null", "tenants"),
    ],
)
def test_a_wrong_file_is_refused_with_its_field(tmp_path, text, named) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(BadKeysFileError, match=re.escape(named)):
        KeysFile.read(path)


KEY_RECORD = f"sha256: {'a' * 64}, created: 2026-01-01"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tenents: {acme: {}}", "tenents is unknown; did you mean tenants?"),
        ("{tenants: {acme: {}}, Tenant: {b: {}}}", "Tenant is unknown; did you mean tenants?"),
        *(
            (
                f"tenants: {{acme: {{}}, b: {{{written}: 1}}}}",
                f"tenants.b.{written} is unknown; did you mean {meant}?",
            )
            for written, meant in {
                "reasoner": "reasoners",
                "REASONERS": "reasoners",
                "request_per_minute": "requests_per_minute",
                "requests-per-minute": "requests_per_minute",
                "images_per_min": "images_per_minute",
                "concurency": "concurrency",
                "weigth": "weight",
                "key": "keys",
            }.items()
        ),
        (
            f"tenants: {{acme: {{keys: {{k: {{{KEY_RECORD}, create: 1}}}}}}}}",
            "tenants.acme.keys.k.create is unknown; did you mean created?",
        ),
        (
            f"tenants: {{acme: {{keys: {{k: {{{KEY_RECORD}, concurrency: 1}}}}}}}}",
            "tenants.acme.keys.k.concurrency is unknown at this place",
        ),
        ("{tenants: {acme: {}}, reasoners: [a]}", "reasoners is unknown at this place"),
    ],
)
def test_a_field_that_is_probably_misspelt_is_refused(tmp_path, text, named) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(BadKeysFileError, match=re.escape(named)):
        KeysFile.read(path)


LATER = """
owner: me
tenants:
  acme:
    zones: [eu]
    keys:
      "0123456789abcdef": {sha256: %s, created: 2026-01-01, label: laptop}
""" % ("a" * 64)


def test_fields_of_a_later_version_are_told_and_written_again(tmp_path, caplog) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(LATER)
    file = KeysFile.read(path)
    assert [message.partition("keys.yaml: ")[2] for message in caplog.messages] == [
        f"{field} is unknown: this version ignores it"
        for field in ("owner", "tenants.acme.zones", "tenants.acme.keys.0123456789abcdef.label")
    ]
    file, key = file.with_new_key("other", TenantRecord())
    file = file.without_key(key.split("_")[1])
    file.write(path)
    there = yaml.safe_load(path.read_text())
    assert there["tenants"].pop("other") == {"keys": {}}
    [record] = there["tenants"]["acme"]["keys"].values()
    record["created"] = date.fromisoformat(record["created"])
    assert there == yaml.safe_load(LATER)


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(BadKeysFileError, match=r"none\.yaml"):
        KeysFile.read(tmp_path / "none.yaml")


def test_a_file_keeps_its_mode(tmp_path) -> None:
    file, _ = with_key()
    path = tmp_path / "keys.yaml"
    file.write(path)
    path.chmod(0o640)
    file.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["keys.yaml"]
