"""What a report says, in Finnish and in English: words, numbers, moments and durations."""

from datetime import datetime
from typing import Literal, NamedTuple, get_args

from cashin_async.bulk.outcome import State
from cashin_async.report.reported import Ending

Lang = Literal["fi", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)

NO_BREAK = "\u00a0"


class Words(NamedTuple):
    """The same in both languages."""

    fi: str
    en: str

    def in_(self, lang: Lang) -> str:
        return self.fi if lang == "fi" else self.en


def number(value: float, lang: Lang, decimals: int = 0) -> str:
    """`12 345,6` or `12,345.6`."""
    text = f"{value:,.{decimals}f}"
    return text.replace(",", NO_BREAK).replace(".", ",") if lang == "fi" else text


def rate(value: float, lang: Lang) -> str:
    """A figure for people: one decimal below ten."""
    return number(value, lang, 1 if 0 < value < 10 else 0)


def moment(value: datetime, lang: Lang) -> str:
    """A local time: `6.8.2026 klo 08.00.00 (UTC+3)` or `6 August 2026, 08:00:00 (UTC+3)`."""
    local = value.astimezone()
    offset = local.strftime("%z")
    hours, minutes = int(offset[:3]), offset[3:5]
    zone = f"UTC{hours:+d}" + (f":{minutes}" if minutes != "00" else "") if hours or minutes != "00" else "UTC"
    if lang == "fi":
        return f"{local.day}.{local.month}.{local.year} klo {local:%H.%M.%S} ({zone})"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M:%S} ({zone})"


_MONTHS = "January February March April May June July August September October November December".split()


def duration(seconds: float, lang: Lang) -> str:
    """`1,5 s`, `2 min 5 s`, `1 h 0 min`."""
    if seconds < 60:
        return f"{number(seconds, lang, 1 if seconds < 10 else 0)}{NO_BREAK}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}{NO_BREAK}min {whole % 60}{NO_BREAK}s"
    return f"{number(whole // 3600, lang)}{NO_BREAK}h {whole % 3600 // 60}{NO_BREAK}min"


def said(words: Words, lang: Lang, **values: float | str) -> str:
    """`words` with values in their places; numbers as the language writes them."""
    shown = {name: value if isinstance(value, str) else number(value, lang) for name, value in values.items()}
    return words.in_(lang).format(**shown)


# -- the six outcomes

STATES = {
    State.ACCEPTED: Words("hyväksytty", "accepted"),
    State.REJECTED: Words("hylätty", "rejected"),
    State.INVALID: Words("virheellinen", "invalid"),
    State.DUPLICATE: Words("kaksoiskappale", "duplicate"),
    State.UNKNOWN: Words("epäselvä", "unknown"),
    State.UNSENT: Words("lähettämättä", "unsent"),
}
MEANINGS = {
    State.ACCEPTED: Words("palvelin on ottanut vastaan", "the server has them"),
    State.REJECTED: Words("palvelin ei hyväksynyt, tai numero on varattu", "refused, or the number is taken"),
    State.INVALID: Words("ei lähetetty, koska laskussa on virhe", "never sent: something is wrong with them"),
    State.DUPLICATE: Words("sama lasku on jo mukana tai hyväksytty", "the same invoice came before"),
    State.UNKNOWN: Words("ei tiedetä, menikö perille", "may have arrived or not"),
    State.UNSENT: Words("ei lähetetty tai ei käsitelty", "not sent, or not taken in"),
}
HEADINGS = {
    State.UNKNOWN: Words("Epäselvät: selvitettävä ensin", "Unknown: to be found out first"),
    State.REJECTED: Words("Hylätyt: palvelin ei hyväksynyt", "Rejected: the server refused them"),
    State.INVALID: Words("Virheelliset: ei lähetetty", "Invalid: never sent"),
    State.UNSENT: Words("Lähettämättä: lähetetään uudelleen", "Unsent: to be sent again"),
}
TO_DO = {
    State.UNKNOWN: Words(
        "Yhteys katkesi tai vastaus jäi saamatta, joten ei tiedetä, onko palvelimella nämä laskut. Niitä ei lähetetä"
        " uudelleen ennen kuin asia on selvitetty, jotta kukaan ei saisi samaa laskua kahdesti. Tarkista"
        " laskutuspalvelusta, mitkä laskut ovat siellä, ja kirjaa tulos:",
        "The connection broke off or no answer came, so nobody knows whether the server has these. They are not sent"
        " again until that is settled, so that nobody is billed twice. Look into the invoicing service which of them"
        " are there, and put it on record:",
    ),
    State.REJECTED: Words(
        "Korjaa laskut ja aja korjattu aineisto uudelleen. Muuttumattomana laskua ei lähetetä toista kertaa.",
        "Correct the invoices and upload the corrected file. One that is unchanged is not sent a second time.",
    ),
    State.INVALID: Words(
        "Näitä laskuja ei lähetetty. Korjaa ne ja aja korjattu aineisto uudelleen; jo hyväksytyt ohitetaan.",
        "These were not sent. Correct them and upload the corrected file; what is accepted already is passed over.",
    ),
    State.UNSENT: Words(
        "Laskuissa ei tarvitse olla vikaa. Aja sama aineisto uudelleen samalla komennolla: vain puuttuvat lähetetään.",
        "Nothing need be wrong with the invoices. Run the same upload again: only what is missing is sent.",
    ),
}
FILES_OF_SETTLE = Words(
    "Tiedostossa perilla.txt ovat löytyneiden ja tiedostossa puuttuvat.txt puuttuvien laskujen numerot, yksi rivillä."
    " Jos rajapinta näyttää yksittäisen laskun, sama komento kysyy sen valitsimella --lookup-path.",
    "found.txt has the numbers of those that are there and missing.txt of those that are not, one a line."
    " Where the API can show an invoice, --lookup-path asks it instead.",
)
SETTLE = Words("--accepted perilla.txt --release puuttuvat.txt", "--accepted found.txt --release missing.txt")
NO_LEDGER = Words(
    "Ajossa ei käytetty lähetysrekisteriä (ledger), joten seuraava ajo ei tiedä näistä mitään: selvitä nämä ennen"
    " kuin ajat aineiston uudelleen.",
    "There was no ledger, so the next run knows nothing of these: find out before you upload the file again.",
)

# -- the verdict

ALL_ACCEPTED = Words("Kaikki {read} laskua on hyväksytty.", "All {read} invoices are accepted.")
ONE_ACCEPTED = Words("Lasku on hyväksytty.", "The invoice is accepted.")
ACCOUNTED_FOR = Words(
    "Kaikki {read} laskua on käsitelty: hyväksyttyjä {accepted}, kaksoiskappaleita {duplicate}.",
    "All {read} invoices are accounted for: accepted {accepted}, duplicates {duplicate}.",
)
ONE_DUPLICATE = Words("Lasku on kaksoiskappale: se on hyväksytty jo aiemmin.", "The invoice is a duplicate.")
NOTHING_READ = Words("Aineistossa ei ollut yhtään laskua.", "There was no invoice to upload.")
UNREADABLE = Words("Aineistoa ei voitu lukea.", "Nothing could be read.")
NEED_A_LOOK = Words(
    "{read} laskusta {failed} vaatii toimenpiteitä; {accepted} on hyväksytty.",
    "{failed} of {read} invoices need a look; {accepted} are accepted.",
)
NEEDS_A_LOOK = Words(
    "{read} laskusta yksi vaatii toimenpiteitä; {accepted} on hyväksytty.",
    "One of {read} invoices needs a look; {accepted} are accepted.",
)
ONE_NEEDS_A_LOOK = Words("Lasku vaatii toimenpiteitä.", "The invoice needs a look.")
STOPPED = Words(
    "Ajo pysähtyi ennen loppua: {read} luetusta laskusta {accepted} on hyväksytty.",
    "The upload stopped before its end: {accepted} of the {read} invoices read are accepted.",
)
INTERRUPTED = Words(
    "Ajo keskeytettiin: {read} luetusta laskusta {accepted} on hyväksytty.",
    "The upload was interrupted: {accepted} of the {read} invoices read are accepted.",
)
CUT_OFF = Words(
    "Ajo katkesi kesken: viimeisten merkintöjen mukaan {read} laskusta {accepted} oli hyväksytty.",
    "The upload was cut off: by its last notes, {accepted} of {read} invoices were accepted.",
)
UNDER_WAY = Words(
    "Ajo on kesken: tähän mennessä {read} laskusta {accepted} on hyväksytty.",
    "The upload is under way: so far, {accepted} of {read} invoices are accepted.",
)
BUT_RELEASED = Words(
    "Laskut on käsitelty, mutta aiemmin vapautettuja laskuja on vielä lähettämättä: {released}.",
    "The invoices are accounted for, but released ones are still to be sent: {released}.",
)
BUT_UNREAD = Words(
    "Luetut laskut on käsitelty, mutta koko aineistoa ei voitu lukea.",
    "What was read is accounted for, but not every input could be read to its end.",
)
ENDINGS = {
    Ending.WHOLE: Words("ajettu loppuun", "ran to its end"),
    Ending.STOPPED: Words("pysähtyi ennen loppua", "stopped before its end"),
    Ending.INTERRUPTED: Words("keskeytettiin", "interrupted"),
    Ending.CUT_OFF: Words("katkesi kesken", "cut off"),
    Ending.UNDER_WAY: Words("kesken", "under way"),
}

# -- the page

TITLE = Words("Laskujen lähetysraportti", "Invoice upload report")
LANGUAGE = Words("Kieli", "Language")
DARK = Words("Tumma tila", "Dark mode")
OUTCOMES = Words("Tulokset", "Outcomes")
INVOICES_READ = Words("{read} luettua laskua", "{read} invoices read")
TO_BE_DONE = Words("Vaatii toimenpiteitä", "What needs a person")
NOTHING_TO_DO = Words("Mikään ei vaadi toimenpiteitä.", "Nothing needs to be done.")
RAW_ANSWER = Words("Palvelimen vastaus (laskujen tiedot peitetty)", "The server's answer (invoice values blanked)")
EXAMPLE = Words("Esimerkki oikeasta", "A right example")
AND_MORE = Words("ja {more} muuta", "and {more} more")
COPY_NUMBERS = Words("Kopioi numerot", "Copy the numbers")
COPY_SHOWN = Words("Kopioi rajatut numerot", "Copy the numbers shown")
COPY_ALL = Words("Kopioi kaikki numerot", "Copy all numbers")
COPY_COMMAND = Words("Kopioi komento", "Copy the command")
SHOW_THEM = Words("Näytä taulukossa", "Show in the table")
MORE_KINDS = Words("Muita syitä: {kinds}; katso taulukosta.", "Further reasons: {kinds}; see the table.")
STOPPED_BECAUSE = Words("Ajo pysähtyi, koska:", "It stopped because:")
INPUTS = Words("Aineisto, jota ei voitu lukea loppuun", "Inputs that could not be read to their end")
INPUTS_TO_DO = Words(
    "Luetut laskut on käsitelty. Korjaa aineisto ja aja se uudelleen: jo hyväksytyt ohitetaan.",
    "What was read is accounted for. Mend the input and upload it again: what is accepted is passed over.",
)
INPUTS_UNNAMED = Words(
    "Lukuvirheitä: {count}. Tiedostojen nimet näkyivät ajon aikana, niitä ei tallenneta.",
    "{count} in all. Their names were shown when it ran; they are not kept on record.",
)
UNREAD = Words(
    "Aineistoa ei luettu loppuun: sen loppuosan laskuilla ei ole tulosta. Aja sama aineisto uudelleen.",
    "The input was not read to its end: what follows in it has no outcome. Upload it again.",
)
RELEASED = Words("Vapautetut, yhä lähettämättä", "Released, and still to be sent")
RELEASED_TO_DO = Words(
    "Näiden aiemmin epäselvien laskujen on todettu puuttuvan palvelimelta, mutta niitä ei ollut tässä aineistossa."
    " Lisää ne seuraavaan ajoon.",
    "These were unknown once and are settled as not accepted, but were not in this input. Put them into the next one.",
)
SETTLED = Words(
    "Aiempien ajojen epäselvistä laskuista todettiin kyselyllä hyväksytyiksi {accepted} ja puuttuviksi {released}.",
    "Of the unknown of earlier runs, a look-up found {accepted} as accepted and {released} as missing.",
)

# -- charts

THROUGHPUT = Words("Käsittelynopeus", "Throughput")
PER_SECOND = Words("laskua sekunnissa", "invoices a second")
THROUGHPUT_ALT = Words(
    "Nopeimmillaan {peak} laskua sekunnissa, keskimäärin {mean}. Kesto {seconds}.",
    "{peak} invoices a second at most, {mean} on average. It took {seconds}.",
)
HELD_ALT = Words(
    "Siitä {held} oli taukoa, koska palvelin ei ottanut vastaan enempää.",
    "For {held} of it everything was on hold, since the server would not take more.",
)
NO_HISTORY = Words(
    "Nopeutta ajan mukaan ei ole tallennettu tästä ajosta.", "How fast this run was over time is not on record."
)
GOT_THROUGH = Words("hyväksytty tai kaksoiskappale", "accepted or duplicate")
NEEDS_SOMEBODY = Words("vaatii toimenpiteitä", "needs a person")
HELD = Words("tauko, kun palvelin ei ottanut vastaan", "on hold, since the server would not take more")

# -- the table

FAILING = Words("Laskut, joita ei hyväksytty", "Invoices that were not accepted")
FAILING_NOTE = Words(
    "Järjestä napsauttamalla sarakkeen otsikkoa. Kaksoiskappaleet eivät ole luettelossa.",
    "Sort by the heading of a column. Duplicates are not listed.",
)
NUMBER = Words("Laskun numero", "Invoice number")
OUTCOME = Words("Tulos", "Outcome")
REASON = Words("Syy", "Reason")
PLACE = Words("Tiedosto ja rivi", "File and line")
ANY_OUTCOME = Words("Kaikki tulokset", "All outcomes")
ANY_REASON = Words("Kaikki syyt", "All reasons")
SEARCH = Words("Hae numerolla, syyllä tai tiedostolla", "Find by number, reason or file")
CLEAR = Words("Tyhjennä rajaukset", "Clear the filters")
SHOWN = Words("{shown} / {all} laskua", "{shown} of {all} invoices")
NONE_FOUND = Words("Rajauksilla ei löydy laskuja.", "No invoice is left by these filters.")
PREVIOUS = Words("Edellinen", "Previous")
FOLLOWING = Words("Seuraava", "Next")
PAGE = Words("Sivu {page} / {pages}", "Page {page} of {pages}")
PRINTED = Words(
    "Tulosteessa on taulukosta vain näytöllä ollut sivu; tiedostossa ovat kaikki.",
    "Printed is the page of the table that was on the screen; the file has all.",
)
COPIED = Words("Kopioitu: {count}", "Copied: {count}")
NOT_COPIED = Words("Selain esti kopioinnin.", "The browser did not let it be copied.")
WITHOUT_SCRIPT = Words(
    "Taulukko tarvitsee JavaScriptin. Avaa tiedosto selaimessa, jos katsot sitä sähköpostin esikatselussa.",
    "The table needs JavaScript. If this is the preview of a mail program, open the file in a browser.",
)
UNREADABLE_DATA = Words(
    "Taulukon tietoja ei voitu lukea: tiedosto on vajaa.", "The table cannot be read: the file is cut short."
)

# -- what the ledger cannot tell

FROM_LEDGER = Words(
    "Raportti on koottu jälkikäteen lähetysrekisteristä. Lukumäärät ovat ajon omat; luettelossa on se, mitä"
    " laskuista on kirjattu nyt.",
    "This report is made afterwards, from the ledger. The counts are the run's own; the list is what is on record of"
    " the invoices now.",
)
LISTED = Words(
    "Luettelossa on {listed} laskua ajon {failed} laskusta: myöhempi ajo on voinut selvittää tai lähettää muut."
    " Laskuja, joilta puuttuu numero, joiden numero on toisen laskun käytössä tai jotka rikkovat tarkistussääntöä, ei"
    " tallenneta.",
    "Of the run's {failed} it lists {listed}: a later run may have settled or sent the others, and what breaks a rule,"
    " has no number or has another invoice's number is not kept.",
)
FROM_NOTES = Words(
    "Ajon prosessi päättyi kesken, joten luvut on koottu sen viimeisistä merkinnöistä ja lähetysrekisteristä.",
    "Its process ended in the middle: the counts are from its last notes and from what is on record.",
)

# -- facts

FACTS = Words("Ajon tiedot", "Facts of the run")
BEGAN = Words("Alkoi", "Began")
TOOK = Words("Kesto", "Took")
ENDED = Words("Päättyminen", "Ended")
MEAN = Words("Laskuja sekunnissa keskimäärin", "Invoices a second on average")
REQUESTS = Words("Pyyntöjä", "Requests")
REQUESTS_TOLD = Words(
    "{requests}, joista uusintoja {retries}; enintään {max} samanaikaista",
    "{requests}, {retries} of them again; {max} at once at most",
)
HOLDS = Words("Taukoja, kun palvelin ei ottanut vastaan", "Holds, since the server would not take more")
HOLDS_TOLD = Words("{holds}, yhteensä {seconds}", "{holds}, {seconds} in all")
NO_HOLDS = Words("ei yhtään", "none")
ENVIRONMENT = Words("Ympäristö", "Environment")
CREDITOR = Words("Laskuttaja", "Creditor")
LEDGER = Words("Lähetysrekisteri (ledger)", "Ledger")
NONE = Words("ei ole", "none")
RUN = Words("Ajon tunnus", "Run")
VERSION = Words("Ohjelman versio", "Version")
PRODUCTION = Words("tuotanto", "production")
