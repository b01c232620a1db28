"""Master data under the names of BO4E v202607: the objects that orders and reports carry, as they stand on the wire."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

VERSION: Final = "v202607.1.0"
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Wire(BaseModel):
    """A part of a message: unknown members are refused, nothing is coerced."""

    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


class Adresse(Wire):
    """Where the point is."""

    strasse: Text | None = None
    hausnummer: Text | None = None
    adresszusatz: Text | None = None
    postleitzahl: Text | None = None
    ort: Text | None = None
    landescode: Text | None = None


class Geokoordinaten(Wire):
    """The same on the map, in degrees (WGS 84)."""

    breitengrad: Annotated[Decimal, Field(ge=-90, le=90)]
    laengengrad: Annotated[Decimal, Field(ge=-180, le=180)]


class ZusatzAttribut(Wire):
    """BO4E's own way to say what it has no member for."""

    name: Text
    wert: Text


class Bo(Wire):
    """What all objects say of themselves."""

    version: Literal["v202607.1.0"] = Field(VERSION, alias="_version")


class Messlokation(Bo):
    """A MeLo; a GSRN stands here as well, its shape tells it apart."""

    typ: Literal["MESSLOKATION"] = Field("MESSLOKATION", alias="_typ")
    id: Text = Field(alias="messlokationsId")


class Marktlokation(Bo):
    """A MaLo."""

    typ: Literal["MARKTLOKATION"] = Field("MARKTLOKATION", alias="_typ")
    id: Text = Field(alias="marktlokationsId")


class Netzlokation(Bo):
    """A NeLo."""

    typ: Literal["NETZLOKATION"] = Field("NETZLOKATION", alias="_typ")
    id: Text = Field(alias="netzlokationsId")


class SteuerbareRessource(Bo):
    """An SR."""

    typ: Literal["STEUERBARERESSOURCE"] = Field("STEUERBARERESSOURCE", alias="_typ")
    id: Text = Field(alias="steuerbareRessourceId")


class TechnischeRessource(Bo):
    """A TR."""

    typ: Literal["TECHNISCHERESSOURCE"] = Field("TECHNISCHERESSOURCE", alias="_typ")
    id: Text = Field(alias="technischeRessourceId")


class Zaehler(Bo):
    """A meter that is to be removed."""

    typ: Literal["ZAEHLER"] = Field("ZAEHLER", alias="_typ")
    zaehlernummer: Text


class Geraet(Bo):
    """Another device that is to be removed; the attribute `role` says which: smgw, antenna, lan, control_box, …"""

    typ: Literal["GERAET"] = Field("GERAET", alias="_typ")
    geraetenummer: Text
    zusatz: tuple[ZusatzAttribut, ...] = Field((), alias="zusatzAttribute")


Lokation = Messlokation | Marktlokation | Netzlokation | SteuerbareRessource | TechnischeRessource
Stammdatum = Annotated[Lokation | Zaehler | Geraet, Field(discriminator="typ")]
