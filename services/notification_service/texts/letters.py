"""The default texts of letters: the first paragraph is the title; data, nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

_ANSWER = {
    "de": "Bitte bestätigen Sie den Termin bis {answer_by}: telefonisch unter {service_phone} oder mit einer SMS an "
    "{reply_number} mit dem Text OK {code}.",
    "nb": "Bekreft timen innen {answer_by}: ring {service_phone} eller send en SMS til {reply_number} med teksten "
    "OK {code}.",
    "sv": "Bekräfta tiden senast {answer_by}: ring {service_phone} eller skicka ett sms till {reply_number} med texten "
    "OK {code}.",
    "en": "Please confirm the appointment by {answer_by}: call {service_phone} or text OK {code} to {reply_number}.",
}
_OFFER = {
    "de": "Ihr Stromzähler wird gewechselt\n\nSehr geehrte Damen und Herren,\n\n"
    "wir wechseln Ihren Stromzähler am {date} zwischen {window} Uhr. Der Strom ist dabei kurz aus. Unser Monteur "
    "weist sich aus.",
    "nb": "Strømmåleren din skal byttes\n\nHei,\n\n"
    "vi bytter strømmåleren din {date} mellom {window}. Strømmen blir borte en kort stund. Montøren vår legitimerer "
    "seg.",
    "sv": "Din elmätare ska bytas\n\nHej,\n\n"
    "vi byter din elmätare {date} mellan {window}. Strömmen är borta en kort stund. Vår montör legitimerar sig.",
    "en": "Your electricity meter will be replaced\n\nDear customer,\n\n"
    "we will replace your electricity meter on {date} between {window}. The power will be off for a short time. Our "
    "technician carries a badge.",
}
_OTHER_DATE = {
    "de": "Passt Ihnen dieser Termin nicht, bieten wir Ihnen an: {alternatives}. Sagen Sie uns, was Ihnen passt.",
    "nb": "Passer ikke denne timen, kan vi tilby: {alternatives}. Si fra hva som passer.",
    "sv": "Passar inte tiden kan vi erbjuda: {alternatives}. Säg till vad som passar.",
    "en": "If this does not suit you, we offer: {alternatives}. Tell us what suits you.",
}


def _joined(*parts: Mapping[str, str]) -> dict[str, str]:
    """One text per language, paragraph after paragraph."""
    return {language: "\n\n".join(part[language] for part in parts) for language in parts[0]}


LETTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "booking_letter": _joined(_OFFER, _OTHER_DATE, _ANSWER),
        "booking_letter_alone": _joined(_OFFER, _ANSWER),
        "appointment_moved": {
            "de": "Ihr Termin hat sich geändert\n\nSehr geehrte Damen und Herren,\n\n"
            "wir wechseln Ihren Stromzähler nun am {date} zwischen {window} Uhr. Der frühere Termin gilt nicht mehr. "
            "Passt Ihnen das nicht, rufen Sie uns bitte an: {service_phone}.",
            "nb": "Timen din er endret\n\nHei,\n\n"
            "vi bytter strømmåleren din nå {date} mellom {window}. Den tidligere timen gjelder ikke lenger. Passer det "
            "ikke, ring oss: {service_phone}.",
            "sv": "Din tid har ändrats\n\nHej,\n\n"
            "vi byter din elmätare nu {date} mellan {window}. Den tidigare tiden gäller inte längre. Passar det inte, "
            "ring oss: {service_phone}.",
            "en": "Your appointment has changed\n\nDear customer,\n\n"
            "we will now replace your electricity meter on {date} between {window}. The earlier appointment does not "
            "hold any more. If this does not suit you, please call us: {service_phone}.",
        },
        "statutory_37": {
            "de": "Einbau eines intelligenten Messsystems: Information nach § 37 Messstellenbetriebsgesetz\n\n"
            "Sehr geehrte Damen und Herren,\n\n"
            "als Messstellenbetreiber sind wir gesetzlich verpflichtet, Ihre Messstelle mit einem intelligenten "
            "Messsystem auszustatten. Der Einbau erfolgt frühestens drei Monate nach Zugang dieses Schreibens. Den "
            "Termin stimmen wir rechtzeitig mit Ihnen ab.\n\n"
            "Sie können Ihren Messstellenbetreiber frei wählen. Haben Sie einen anderen beauftragt oder wollen Sie es "
            "tun, teilen Sie es uns bitte mit.\n\n"
            "Fragen beantworten wir gern: {service_phone}.",
            "en": "Installation of a smart metering system: information under § 37 Messstellenbetriebsgesetz\n\n"
            "Dear customer,\n\n"
            "as your metering operator we are obliged by law to equip your metering point with a smart metering "
            "system. The installation takes place three months after you received this letter at the earliest. We "
            "will arrange the date with you in good time.\n\n"
            "You are free to choose your metering operator. If you have asked another one, or want to, please let us "
            "know.\n\n"
            "We will gladly answer your questions: {service_phone}.",
        },
    }
)
