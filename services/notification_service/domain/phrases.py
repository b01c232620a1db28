"""The words and phrases by which replies are read: an exact list in German, Norwegian, Swedish and English."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Class(StrEnum):
    """What a phrase says."""

    STOP = "stop"
    CONTACT = "contact"
    NO = "no"
    YES = "yes"
    BLOCKER = "blocker"
    FILLER = "filler"


PHRASES: Mapping[Class, str] = MappingProxyType(
    {
        Class.STOP: """
abmelden, avmeld, avsluta, avslutt, keine sms, keine sms mehr, slutt, stop, stop sms, stopp, stopp sms, unsubscribe""",
        Class.CONTACT: """
kontakt, contact, kontakta, kontakta mig, kontakt meg, kontaktieren, rückruf, anrufen, rufen sie, bitte anrufen,
rufen, ruf, ring, ring meg, ring mig, ringe, ringer, ringa, call, call me, phone me""",
        Class.NO: """
nein, nei, nej, no, nope, passt nicht, passt leider nicht, passt mir nicht, passt mir leider nicht, geht nicht,
geht leider nicht, nicht ok, nicht okay, kann nicht, kann leider nicht, nicht möglich, keine zeit, nicht zu hause,
nicht da, bin im urlaub, verhindert, passer ikke, passer dessverre ikke, passer det ikke, ikke ok, ikke greit,
kan ikke, kan dessverre ikke, går ikke, går dessverre ikke, ikke hjemme, bortreist, på ferie, passar inte,
passar tyvärr inte, passar det inte, inte ok, kan inte, kan tyvärr inte, funkar inte, går inte, går tyvärr inte,
inte hemma, bortrest, på semester, not ok, not okay, cant, cannot, can not, doesnt work, does not work,
doesnt suit, not at home, not possible, on holiday, 👎, ❌""",
        Class.YES: """
ok, gut, okay, okey, oki, ja, jo, jepp, japp, yes, yep, sure, passt, passt gut, passt mir, das passt, termin passt,
in ordnung, einverstanden, gerne, gern, bestätigt, bestätige, geht klar, alles klar, super, greit, det er greit,
den er grei, er greit, det går bra, går bra, går fint, det går fint, det passer, passer, passer bra, passer fint,
bekreftet, bekrefter, helt fint, fint, flott, supert, bra, det passar, passar, passar bra, det funkar, funkar,
bekräftar, bekräftat, okej, absolut, toppen, helt ok, fine, thats fine, that works, works for me, works, confirmed,
i confirm, good, great, perfect, perfekt, kein problem, kein thema, ikke noe problem, inga problem, inget problem,
no problem, 👍, 👌, ✅, 🆗""",
        Class.BLOCKER: """
nicht, kein, keine, nie, ikke, ingen, aldri, inte, inga, aldrig, not, dont, never, aber, wenn, falls, erst, nur,
lieber, sondern, oder, statt, ab, vor, nach, men, hvis, bare, heller, eller, etter, før, istedenfor, om, endast,
bara, hellre, efter, innan, istället, but, if, only, rather, or, after, before, instead""",
        Class.FILLER: """
danke, vielen, dank, bitte, mfg, lg, gruß, grüße, viele, hallo, guten, tag, für, die, info, das, der, termin, mir,
uns, takk, tusen, hei, hilsen, mvh, vh, med, vennlig, for, det, er, den, vi, jeg, tack, hej, hälsningar, jag, är,
thanks, thank, you, hi, hello, the, that, is, so, us, me, regards, and, und, og, och""",
    }
)

WRONG_NUMBER = ("falsche nummer", "feil nummer", "fel nummer", "wrong number")
EMOJI = frozenset("👍👌✅🆗👎❌")
