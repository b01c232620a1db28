"""Partner profiles: one closed form, and every fault named with its line."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.mdm_adapter.errors import BadProfile
from services.mdm_adapter.partners.loader import Partners, check_profile
from services.mdm_adapter.settings import Cluster
from services.mdm_adapter.transports.topic import refuse_unknown_clusters

GOOD = """id: erp-x
name: ERP X
role: ERP
identity: [{scheme: name, value: ERP-X}]
dialects: [{dialect: cim_xml}]
transports: {in: [{kind: rest}], out: [{kind: rest}]}
defaults:
  operator: nord
"""


def test_the_profiles_that_come_with_the_hub_are_valid() -> None:
    expected = ["erp-a", "erp-csv", "lf-nord", "mdm-b", "nb-nord", "wmsb-nord"]
    assert [profile.id for profile in Partners.load().all()] == expected


def test_a_good_profile_has_no_finding() -> None:
    profile, findings = check_profile(GOOD)
    assert (profile is not None, findings) == (True, [])


@pytest.mark.parametrize(
    ("was", "now", "line", "place"),
    [
        ("name: ERP X", "nmae: ERP X", 2, "nmae"),
        ("role: ERP", "role: BANK", 3, "role"),
        ("scheme: name", "scheme: nickname", 4, "identity.0.scheme"),
        ("out: [{kind: rest}]", "out: []", 6, "transports.out"),
        ("  operator: nord", "  operator: nord\n  colour: red", 9, "defaults.colour"),
        ("id: erp-x", "id: ERP X", 1, "id"),
    ],
)
def test_a_fault_is_named_with_its_line(was: str, now: str, line: int, place: str) -> None:
    profile, findings = check_profile(GOOD.replace(was, now))
    assert profile is None
    assert (line, place) in [(found.line, found.place) for found in findings]


HOOK_OUT = "out: [{kind: webhook, url: 'https://a.example/'}]"
HOOK_IN = "in: [{kind: webhook}]"
SECRETS = "secrets: {webhook_in: [ref:a/in], webhook_out: [ref:a/out]}\n"


@pytest.mark.parametrize(
    ("was", "now", "more", "words"),
    [
        ("out: [{kind: rest}]", HOOK_OUT, "", "secrets.webhook_out"),
        ("in: [{kind: rest}]", HOOK_IN, "", "secrets.webhook_in"),
        ("out: [{kind: rest}]", HOOK_OUT.replace("https", "http"), SECRETS, "https"),
        ("out: [{kind: rest}]", HOOK_OUT.replace("a.example", "10.0.0.1"), SECRETS, "public"),
        ("out: [{kind: rest}]", "out: [{kind: topic, cluster: A, topic: t}]", "", "pattern"),
        ("out: [{kind: rest}]", HOOK_OUT, "secrets: {webhook_out: [whsec_AAAA]}\n", "pattern"),
        ("out: [{kind: rest}]", HOOK_OUT, "secrets: {webhook_out: ['ref:../key']}\n", "pattern"),
    ],
)
def test_a_way_that_could_not_be_gone_is_refused(was: str, now: str, more: str, words: str) -> None:
    profile, findings = check_profile(GOOD.replace(was, now) + more)
    assert (profile, any(words in found.detail for found in findings)) == (None, True)


def test_webhooks_whose_secrets_are_named_are_taken() -> None:
    text = GOOD.replace("out: [{kind: rest}]", HOOK_OUT).replace("in: [{kind: rest}]", HOOK_IN) + SECRETS
    profile, findings = check_profile(text)
    assert (profile is not None, findings) == (True, [])


def test_a_topic_lies_in_a_cluster_that_the_settings_know() -> None:
    profile, _ = check_profile(GOOD.replace("in: [{kind: rest}]", "in: [{kind: topic, cluster: bus, topic: t}]"))
    assert profile is not None
    with pytest.raises(BadProfile, match="no cluster bus"):
        refuse_unknown_clusters([profile], {})
    refuse_unknown_clusters([profile], {"bus": Cluster(servers="localhost:9092", protocol="PLAINTEXT")})


@pytest.mark.parametrize(
    "given",
    [
        {"servers": "broker.example:9092", "protocol": "PLAINTEXT"},
        {"servers": "broker.example:9092"},
        {"servers": "broker.example:9092", "user": "hub", "password": "a value"},
    ],
)
def test_a_cluster_is_spoken_with_in_secret_only(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Cluster.model_validate(given)


@pytest.mark.parametrize(
    ("file", "words"), [(None, "the file of columns is missing"), ("columns: 1", "columns"), ("[", "not YAML")]
)
def test_a_mapping_that_cannot_be_read_stops_the_start(tmp_path: Path, file: str | None, words: str) -> None:
    (tmp_path / "erp-x.yaml").write_text(f"{GOOD}csv: {{mapping: erp-x.map.yaml}}\n")
    if file is not None:
        (tmp_path / "erp-x.map.yaml").write_text(file)
    with pytest.raises(BadProfile, match=words):
        Partners.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[1, 2]", "id: [", "a: b: c"])
def test_what_is_no_profile_at_all_is_refused_too(text: str) -> None:
    profile, findings = check_profile(text)
    assert (profile, bool(findings)) == (None, True)


def test_a_profile_that_appears_is_found_when_somebody_looks_again(tmp_path: Path) -> None:
    partners = Partners.load(tmp_path)
    (tmp_path / "erp-x.yaml").write_text(GOOD)
    before = partners.find("erp-x")
    partners.look_again()
    assert (before, partners.find("erp-x") is not None) == (None, True)


def test_two_partners_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("id: erp-x", "id: erp-y"))
    with pytest.raises(BadProfile, match="identity ERP-X is that of erp-x"):
        Partners.load(tmp_path)


def test_a_bad_file_stops_the_start_with_its_name_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("role: ERP", "role: BANK"))
    with pytest.raises(BadProfile, match=r"a\.yaml: line 3: role"):
        Partners.load(tmp_path)
