"""Partners that tests agree something with: a profile is written into the operator's folder, and found."""

from base64 import b64encode
from pathlib import Path

from tests.services.mdm_adapter.scenes import Scene

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER_SECRET = "whsec_" + b64encode(b"another secret of 32 bytes lengt").decode()
HOOK_REF, CALL_REF = "ref:partner/erp-n/hook", "ref:partner/erp-n/call"
URL = "https://erp-n.example/hooks"


def agreed(
    scene: Scene, ways_in: str = "{kind: rest}", way_out: str = "{kind: rest}", more: str = "", id_: str = "erp-n"
) -> None:
    """A partner ERP N with these ways."""
    folder: Path = scene.service.settings.partners_dir
    folder.mkdir(exist_ok=True)
    (folder / f"{id_}.yaml").write_text(
        f"""id: {id_}
name: ERP N
role: ERP
identity: [{{scheme: name, value: {id_.upper()}}}]
dialects: [{{dialect: cim_xml}}, {{dialect: csv}}]
transports: {{in: [{ways_in}], out: [{way_out}]}}
defaults: {{operator: nord, country: DE}}
{more}
"""
    )
    scene.service.ports["partner_rest"].desk.partners.look_again()  # type: ignore[attr-defined]


def kept_secret(scene: Scene, reference: str, value: str = SECRET) -> Path:
    """The file of a secret, as it should lie there."""
    path: Path = scene.service.settings.data_dir / "secrets" / reference.removeprefix("ref:")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value)
    path.chmod(0o600)
    return path
