"""What a reason means to somebody who has never seen an HTTP status, in Finnish and in English."""

import re

from cashin_async.bulk.grouping import Kind
from cashin_async.bulk.outcome import State
from cashin_async.report.words import Words
from cashin_async.rules import RULES

_OF_REJECTED: tuple[tuple[str, Words], ...] = (
    (
        "number is taken: accepted before",
        Words(
            "Samalla numerolla on jo hyväksytty sisällöltään erilainen lasku",
            "Its number is an accepted invoice's, with other content",
        ),
    ),
    (
        "number is taken",
        Words("Samalla numerolla on aineistossa toinen lasku", "Another invoice in the input has its number"),
    ),
    (
        "before and unchanged since",
        Words("Hylätty jo aiemmin, eikä laskua ole muutettu", "Rejected before, and unchanged since"),
    ),
    ("named in FailedInvoices", Words("Palvelin ilmoitti hylänneensä laskun", "The server named it as failed")),
)
_OF_UNSENT: tuple[tuple[str, Words], ...] = (
    (
        "HTTP 401",
        Words("Palvelin ei hyväksy API-avainta", "The server does not take the API key"),
    ),
    (
        "HTTP 403: this key may not",
        Words("API-avaimella ei ole oikeutta luoda laskuja", "The API key may not create invoices"),
    ),
    ("not the address of the API", Words("Palvelimen osoite on väärä", "The address is not the API's")),
    ("HTTP 429", Words("Palvelin rajoitti lähetysten määrää", "The server would take no more for now")),
    ("max_hold", Words("Palvelin pyysi odottamaan liian pitkään", "The server asked for too long a wait")),
    ("deadline", Words("Ajolle annettu aika loppui", "The time for the run was over")),
    ("breaker_after", Words("Palvelin ei antanut luotettavaa vastausta", "The server gave no answer to rely on")),
    ("retry budget|retries\\)", Words("Kaikki yritykset on käytetty", "All tries were used up")),
    (
        "single refusals in a row",
        Words(
            "Ajo pysäytettiin: palvelin hylkäsi laskun toisensa jälkeen",
            "The run was stopped: the server refused one invoice after the other",
        ),
    ),
    ("^interrupted|caller stopped|^cancelled", Words("Ajo keskeytettiin", "The upload was interrupted")),
    ("cut off before it was sent|cut off", Words("Ajo katkesi kesken", "The run was cut off")),
    (
        "was unknown, and is settled as not accepted",
        Words(
            "Vapautettu: ei ole palvelimella; lisää seuraavaan ajoon",
            "Released: the server does not have it, send it again",
        ),
    ),
    ("held back", Words("Palvelin hylkäsi koko erän", "The server refused the whole chunk")),
    (
        "connection could not be made|no connection|proxy|address of the server",
        Words("Palvelimeen ei saatu yhteyttä", "The server could not be reached"),
    ),
)
_OF_UNKNOWN: tuple[tuple[str, Words], ...] = (
    (
        "unknown since|is settling it",
        Words("Epäselvä aiemman ajon jäljiltä", "Unknown since an earlier run"),
    ),
    (
        "no answer within|no whole answer",
        Words("Palvelin ei vastannut ajoissa", "No answer came in time"),
    ),
    (
        "connection was lost|cut short|not HTTP",
        Words("Yhteys katkesi ennen vastausta", "The connection broke off before the answer"),
    ),
    (
        "receipt does not add up|something else than the published",
        Words("Palvelimen kuittaus on ristiriitainen", "The server's receipt does not add up"),
    ),
    (
        "for the whole chunk",
        Words("Palvelin hylkäsi erän, ehkä vain osittain", "The chunk was refused, perhaps in part"),
    ),
    ("cut off", Words("Ajo katkesi, kun lasku oli matkalla", "The run was cut off while it was in flight")),
    ("^HTTP 5", Words("Palvelimessa oli häiriö", "The server had a fault")),
    ("proves nothing", Words("Vastaus ei kerro, menikö lasku perille", "The answer does not tell what became of it")),
)
_OF_INVALID: tuple[tuple[str, Words], ...] = (
    (
        "before and unchanged since",
        Words("Virheellinen jo aiemmin, eikä laskua ole muutettu", "Invalid before, and unchanged since"),
    ),
    ("chunk_bytes|larger alone", Words("Lasku on liian suuri", "The invoice is too large")),
    (
        "^Expected `object`|not JSON|cut short|truncated|malformed|not UTF-8",
        Words("Riviä ei voi lukea laskuna", "The line cannot be read as an invoice"),
    ),
    ("InvoiceNumber", Words("Laskun numero puuttuu tai on virheellinen", "The invoice number is missing or wrong")),
    ("unknown field", Words("Laskussa on tuntematon kenttä", "The invoice has a field that is not known")),
    ("Expected", Words("Kentän arvo on väärän tyyppinen", "A field holds a value of the wrong type")),
)
_BY_WORDS = {
    State.REJECTED: _OF_REJECTED,
    State.UNSENT: _OF_UNSENT,
    State.UNKNOWN: _OF_UNKNOWN,
    State.INVALID: _OF_INVALID,
}
"""Regular expressions on a reason; the first that fits counts."""

_BY_STATE = {
    State.UNKNOWN: Words("Ei tiedetä, menikö lasku perille", "Nobody knows whether it arrived"),
    State.REJECTED: Words("Palvelin hylkäsi laskun", "The server refused it"),
    State.INVALID: Words("Laskussa on virhe", "Something is wrong with the invoice"),
    State.UNSENT: Words("Laskua ei lähetetty", "It was not sent"),
}

RULES_IN_FINNISH = {
    "number": "InvoiceNumber on kokonaisluku, joka on suurempi kuin 0.",
    "type": "Jokaisen kentän tyyppi on julkaistun esimerkin mukainen, ja jokainen nimi on julkaistu.",
    "reference": "Reference on suomalainen viite, jonka tarkiste on oikein, kansallisessa tai RF-muodossa.",
    "barcode": "VirtualBankBarcode on 54 numeroa, ja siinä on sama summa, viite ja eräpäivä kuin laskussa.",
    "iban": "Tilinumero läpäisee mod 97 -tarkistuksen, ja suomalaisessa on 18 merkkiä.",
    "business-id": "Y-tunnuksen tarkistusnumero on oikein, myös ALV-tunnuksessa ja OVT-tunnuksessa.",
    "personal-code": "Henkilötunnuksen tarkistusmerkki, päivä ja vuosisadan välimerkki ovat oikein.",
    "sum-row": "Rivillä Total = Nto + Tax + Round sentilleen, ja Tax on sentin tarkkuudella verokannan mukainen.",
    "sum-invoice": "NetAmount + TaxAmount + RoundAmount = TotalAmount, ja TaxAmount on rivien veron summa sentilleen.",
    "vat-rate": "VatPercent on verokanta, joka on ollut Suomessa voimassa.",
    "due-before-issued": "Eräpäivä (DueDate) ei ole ennen laskun päiväystä (InvoiceDate).",
    "reference-spaces": "Viitteessä ei ole välilyöntejä: ryhmittely on vain tulostetta varten.",
    "barcode-account": "Virtuaaliviivakoodin tilinumero on laskuttajan.",
    "account-luhn": "Suomalaisen tilinumeron oma tarkistusnumero on oikein.",
    "test-person": "SalesIdentifier ei ole testihenkilön: yksilönumerot 900–999 on varattu testaukseen.",
    "einvoice-address": "Verkkolaskuosoitteella on välittäjä, ja välittäjällä osoite.",
    "operator": "Verkkolaskuosoitteen välittäjä on tunnettu.",
    "postal-code": "Suomalaisessa postinumerossa on viisi numeroa.",
    "sum-net": "NetAmount on rivien Nto-summien summa.",
    "vat-date": "VatPercent oli voimassa suorituspäivänä ja koko jakson ajan, jolta rivi on.",
    "vat-reason": "Rivillä, jonka vero on 0 %, kerrotaan verottomuuden peruste.",
    "payment-terms": "PaymentTermsCode on päivien määrä laskun päiväyksestä eräpäivään.",
    "consumer-terms": "Kuluttajalla on vähintään 14 päivää maksuaikaa.",
    "business-terms": "Yritys maksaa 30 päivän kuluessa.",
    "consumer-interest": "Kuluttajan viivästyskorko on enintään viitekorko lisättynä seitsemällä prosenttiyksiköllä.",
    "credit-note": "Hyvityslaskussa mainitaan lasku, jota hyvitetään.",
}
"""By its code, what each rule asks for."""


def explained(kind: Kind) -> Words:
    """A kind of failure in one line."""
    if kind.rule is not None:
        return _of_rule(kind.rule)
    fitting = (words for pattern, words in _BY_WORDS[kind.state] if re.search(pattern, kind.words))
    return next(fitting, _BY_STATE[kind.state])


def _of_rule(code: str) -> Words:
    """What the rule asks for; of one of the user's own, nothing is known but its name."""
    if code not in RULES:
        return Words(f"Rikkoo omaa sääntöä: {code}", f"Breaks a rule of your own: {code}")
    return Words(f"Rikkoo sääntöä: {RULES_IN_FINNISH[code]}", f"Breaks the rule: {RULES[code].summary}")
