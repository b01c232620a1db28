"""What notification_service can be told, beside what every service can."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from kit.settings import Settings as KitSettings
from services.notification_service.domain.operators import DEFAULT_OPERATORS, Operator

SECRET_BYTES = 32


class Settings(KitSettings):
    """Operators, the vendor's door, and the keys of codes and hashes."""

    operators: tuple[Operator, ...] = Field(DEFAULT_OPERATORS, min_length=1)
    """Operators as their customers know them. A case of one that is not here is served like the first."""
    sms_url: str | None = None
    """Address of the SMS vendor (profile seven). Without one nothing is sent: every try fails as `connection`."""
    sms_api_key: SecretStr = SecretStr("")
    """What the vendor knows us by."""
    sms_signing_keys: SecretStr = SecretStr("")
    """Secrets of the vendor's callbacks, comma-separated: two during a rotation."""
    sms_callback_url: str = "http://127.0.0.1:8080/api/notification/v1/sms/seven/in"
    """Our callback as the vendor calls it; part of what he signs, never taken from a request."""
    print_dir: Path | None = None
    """Folder that holds a folder of batches per operator for the print shop; default: print in the data directory."""
    print_shop_secrets: SecretStr = SecretStr("")
    """Secrets (whsec_…) with which the print shop signs its receipts, comma-separated: two during a rotation. Without
    one no receipt is accepted; letters are marked as printed by hand."""
    letters_dir: Path | None = None
    """Folder where letters are kept until their case is purged; default: letters in the data directory."""
    dialogue_keys: SecretStr | None = None
    """`id:key` pairs of the dialogue codes, comma-separated; the first makes new codes. Default: kept in the data
    directory."""
    notification_pepper: SecretStr | None = None
    """Key of the hashes of codes and numbers; losing it loses opt-outs. Default: kept in the data directory."""

    @model_validator(mode="after")
    def _callbacks_are_proved(self) -> Self:
        if self.sms_url and not self.signing_keys:
            raise ValueError("sms_url needs sms_signing_keys: callbacks without proof are not accepted")
        return self

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """Secrets that a callback may be signed with."""
        return _several(self.sms_signing_keys)

    @property
    def receipt_secrets(self) -> tuple[str, ...]:
        """Secrets that a receipt of the print shop may be signed with."""
        return _several(self.print_shop_secrets)

    @property
    def print_path(self) -> Path:
        """Where the print shop finds its batches."""
        return self.print_dir or self.data_dir / "print"

    @property
    def letters_path(self) -> Path:
        """The archive of letters."""
        return self.letters_dir or self.data_dir / "letters"

    def code_keys(self) -> Mapping[str, bytes]:
        """Keys of dialogue codes by their id, the one in use first."""
        given = self.dialogue_keys.get_secret_value() if self.dialogue_keys else f"k1:{self._kept('dialogue_key')}"
        pairs = (pair.strip().partition(":") for pair in given.split(",") if pair.strip())
        return {key_id: key.encode() for key_id, _, key in pairs}

    def pepper(self) -> bytes:
        given = self.notification_pepper
        return (given.get_secret_value() if given else self._kept("notification_pepper")).encode()

    def _kept(self, name: str) -> str:
        """A secret that was made at the first start and stays in the data directory (mode 0600)."""
        path = Path(self.data_dir) / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(SECRET_BYTES))
        return path.read_text("ascii").strip()


def _several(secret: SecretStr) -> tuple[str, ...]:
    """Keys that are written one after the other, with commas."""
    return tuple(key.strip() for key in secret.get_secret_value().split(",") if key.strip())
