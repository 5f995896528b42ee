"""The keys of a server: fixed by settings, or made at the first start and kept in the data folder."""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from foveal.errors import Invalid

FILE = "keys.json"
KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the training and the prediction API, and the secret behind signed links."""

    training: str = field(repr=False)
    prediction: str = field(repr=False)
    signing: str = field(repr=False)

    @classmethod
    def load(cls, folder: Path, *, training: str = "", prediction: str = "", signing: str = "") -> tuple[Self, bool]:
        """Return the keys and whether one for an API was made just now; what is given wins over what is kept."""
        kept = _kept(folder)
        given = {"training": training, "prediction": prediction, "signing": signing}
        keys = {name: value or kept.get(name) or new_key() for name, value in given.items()}
        fresh = {name: keys[name] for name, value in given.items() if not value and name not in kept}
        if fresh:
            _keep(folder, {**kept, **fresh})
        return cls(**keys), bool({"training", "prediction"} & set(fresh))

    @classmethod
    def rotate(cls, folder: Path) -> Self:
        """Make new keys for both APIs in the folder; the signing secret stays, so links given out go on working."""
        kept = _kept(folder)
        keys = {"training": new_key(), "prediction": new_key(), "signing": kept.get("signing") or new_key()}
        _keep(folder, keys)
        return cls(**keys)


def new_key() -> str:
    """Make a key: 32 hexadecimal characters, as Azure's are."""
    return secrets.token_hex(KEY_BYTES)


def _kept(folder: Path) -> dict[str, str]:
    path = folder / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}. Mend it, or delete it to have new keys made.") from error
    return {str(name): str(value) for name, value in kept.items()}


def _keep(folder: Path, keys: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE}.{os.getpid()}"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(keys, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / FILE)
