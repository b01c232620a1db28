"""The default texts of SMS, in German, Norwegian, Swedish and English: data, nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "booking_offer": {
            "de": "Ihr Stromzähler wird am {date} zwischen {window} gewechselt. Bitte antworten Sie bis {answer_by}: "
            "OK {code} oder KONTAKT {code}. Anderer Termin: {portal_url}",
            "nb": "Vi bytter strømmåleren din {date} mellom {window}. Svar innen {answer_by}: "
            "OK {code} eller KONTAKT {code}. Annen tid: {portal_url}",
            "sv": "Vi byter din elmätare {date} mellan {window}. Svara senast {answer_by}: "
            "OK {code} eller KONTAKT {code}. Annan tid: {portal_url}",
            "en": "Your electricity meter will be replaced on {date} between {window}. Please reply by {answer_by}: "
            "OK {code} or CONTACT {code}. Another time: {portal_url}",
        },
        "booking_offer_by_phone": {
            "de": "Ihr Stromzähler wird am {date} zwischen {window} gewechselt. Bitte antworten Sie bis {answer_by}: "
            "OK {code} oder KONTAKT {code}. Anderer Termin: {service_phone}",
            "nb": "Vi bytter strømmåleren din {date} mellom {window}. Svar innen {answer_by}: "
            "OK {code} eller KONTAKT {code}. Annen tid: {service_phone}",
            "sv": "Vi byter din elmätare {date} mellan {window}. Svara senast {answer_by}: "
            "OK {code} eller KONTAKT {code}. Annan tid: {service_phone}",
            "en": "Your electricity meter will be replaced on {date} between {window}. Please reply by {answer_by}: "
            "OK {code} or CONTACT {code}. Another time: {service_phone}",
        },
        "booking_reminder": {
            "de": "Wir haben noch keine Antwort zum Zählerwechsel am {date}, {window}. "
            "Antworten Sie OK {code} oder KONTAKT {code}, oder rufen Sie an: {service_phone}",
            "nb": "Vi mangler svar om målerbyttet {date}, {window}. "
            "Svar OK {code} eller KONTAKT {code}, eller ring {service_phone}",
            "sv": "Vi saknar svar om mätarbytet {date}, {window}. "
            "Svara OK {code} eller KONTAKT {code}, eller ring {service_phone}",
            "en": "We still need your answer about the meter exchange on {date}, {window}. "
            "Reply OK {code} or CONTACT {code}, or call {service_phone}",
        },
        "booking_confirmation": {
            "de": "Ihr Termin zum Zählerwechsel ist bestätigt: {date}, {window}. Fragen: {service_phone}",
            "nb": "Timen for målerbytte er bekreftet: {date}, {window}. Spørsmål: {service_phone}",
            "sv": "Tiden för mätarbytet är bekräftad: {date}, {window}. Frågor: {service_phone}",
            "en": "Your meter exchange is confirmed: {date}, {window}. Questions: {service_phone}",
        },
        "appointment_reminder": {
            "de": "Erinnerung: Zählerwechsel am {date}, {window}. Der Strom ist kurz aus. Fragen: {service_phone}",
            "nb": "Påminnelse: målerbytte {date}, {window}. Strømmen blir borte en kort stund. "
            "Spørsmål: {service_phone}",
            "sv": "Påminnelse: mätarbyte {date}, {window}. Strömmen är borta en kort stund. Frågor: {service_phone}",
            "en": "Reminder: meter exchange on {date}, {window}. The power will be off for a short time. "
            "Questions: {service_phone}",
        },
        "appointment_moved": {
            "de": "Ihr Termin zum Zählerwechsel wurde verlegt auf {date}, {window}. Passt das nicht, rufen Sie bitte "
            "an: {service_phone}",
            "nb": "Timen for målerbytte er flyttet til {date}, {window}. Passer det ikke, ring {service_phone}",
            "sv": "Tiden för mätarbytet har flyttats till {date}, {window}. Passar det inte, ring {service_phone}",
            "en": "Your meter exchange has been moved to {date}, {window}. If this does not suit you, please call "
            "{service_phone}",
        },
        "appointment_cancelled": {
            "de": "Ihr Termin zum Zählerwechsel am {date}, {window} entfällt. Fragen: {service_phone}",
            "nb": "Timen for målerbytte {date}, {window} er avlyst. Spørsmål: {service_phone}",
            "sv": "Tiden för mätarbytet {date}, {window} är inställd. Frågor: {service_phone}",
            "en": "Your meter exchange on {date}, {window} will not take place. Questions: {service_phone}",
        },
        "stop_work": {
            "de": "STOPP: Der Auftrag am {date}, {window} wurde storniert. Nicht ausführen, bitte sofort die "
            "Disposition anrufen: {service_phone}",
            "nb": "STOPP: Oppdraget {date}, {window} er avbestilt. Ikke utfør det, ring planleggeren med en gang: "
            "{service_phone}",
            "sv": "STOPP: Uppdraget {date}, {window} är avbokat. Utför det inte, ring planeringen direkt: "
            "{service_phone}",
            "en": "STOP: The job on {date}, {window} was cancelled. Do not carry it out, call the dispatcher at once: "
            "{service_phone}",
        },
        "opt_out_closing": {
            "de": "Sie erhalten keine SMS mehr von uns. Fragen: {service_phone}",
            "nb": "Du får ikke flere SMS fra oss. Spørsmål: {service_phone}",
            "sv": "Du får inga fler sms från oss. Frågor: {service_phone}",
            "en": "You will get no more texts from us. Questions: {service_phone}",
        },
    }
)
