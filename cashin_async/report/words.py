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
    """`words` with values in their places: numbers as the language writes them, `{read:invoice|invoices}` as the
    first for one and the second for any other number."""
    shown = {name: value if isinstance(value, str) else _Figure(number(value, lang)) for name, value in values.items()}
    return words.in_(lang).format(**shown)


class _Figure(str):
    """A number in words."""

    __slots__ = ()

    def __format__(self, forms: str) -> str:
        one, _, many = forms.partition("|")
        return (one if self == "1" else many) if forms else str(self)


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
    State.REJECTED: Words("palvelin ei hyväksynyt, tai laskunumero on jo käytössä", "refused, or the number is taken"),
    State.INVALID: Words("ei lähetetty, koska laskussa on virhe", "never sent: something is wrong with them"),
    State.DUPLICATE: Words("sama lasku on jo mukana tai hyväksytty", "the same invoice came before"),
    State.UNKNOWN: Words("ei tiedetä, menikö perille", "may have arrived or not"),
    State.UNSENT: Words("ei lähetetty tai ei käsitelty", "not sent, or not taken in"),
}
HEADINGS = {
    State.UNKNOWN: Words("Epäselvät: selvitettävä ensin", "Unknown: to be found out first"),
    State.REJECTED: Words("Hylätyt: palvelin ei hyväksynyt", "Rejected: the server refused them"),
    State.INVALID: Words("Virheelliset: ei lähetetty", "Invalid: never sent"),
    State.UNSENT: Words("Lähettämättä: aja aineisto uudelleen", "Unsent: to be sent again"),
}
TO_DO = {
    State.UNKNOWN: Words(
        "Yhteys katkesi tai vastaus ei kerro, mitä laskuille tapahtui, joten ei tiedetä, ovatko nämä laskut"
        " palvelimella. Niitä ei lähetetä uudelleen ennen kuin asia on selvitetty, jotta kukaan ei saisi samaa laskua"
        " kahdesti. Tarkista laskutuspalvelusta, mitkä laskut ovat siellä, ja kirjaa tulos:",
        "The connection broke off or the answer does not tell what became of them, so nobody knows whether the server"
        " has these. They are not sent again until that is settled, so that nobody is billed twice. Look into the"
        " invoicing service which of them are there, and put it on record:",
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
TO_DO_UNREMEMBERED = {
    State.UNKNOWN: Words(
        "Yhteys katkesi tai vastaus ei kerro, mitä laskuille tapahtui, joten ei tiedetä, ovatko nämä laskut"
        " palvelimella. Ajossa ei käytetty lähetysrekisteriä (ledger), joten seuraava ajo ei tiedä näistä mitään:"
        " tarkista laskutuspalvelusta, mitkä laskut ovat siellä, ennen kuin lähetät niistä yhtäkään uudelleen.",
        "The connection broke off or the answer does not tell what became of them, so nobody knows whether the server"
        " has these. There was no ledger, so the next run knows nothing of them: find out which are there before you"
        " upload any of them again.",
    ),
    State.REJECTED: Words(
        "Korjaa laskut ja aja vain ne: ajosta ei jäänyt muistiin mitään, joten koko aineiston ajaminen lähettäisi myös"
        " hyväksytyt laskut toiseen kertaan. Hyväksymättä jääneet laskut saa tiedostoon valitsimella --failed PATH.",
        "Correct the invoices and upload only these: nothing is remembered, so the whole file again would send the"
        " accepted ones a second time. `--failed PATH` puts what was not accepted into a file.",
    ),
    State.INVALID: Words(
        "Näitä laskuja ei lähetetty. Korjaa ne ja aja vain ne: ajosta ei jäänyt muistiin mitään, joten koko aineiston"
        " ajaminen lähettäisi myös hyväksytyt laskut toiseen kertaan. Hyväksymättä jääneet laskut saa tiedostoon"
        " valitsimella --failed PATH.",
        "These were not sent. Correct them and upload only these: nothing is remembered, so the whole file again would"
        " send the accepted ones a second time. `--failed PATH` puts what was not accepted into a file.",
    ),
    State.UNSENT: Words(
        "Laskuissa ei tarvitse olla vikaa. Aja vain nämä laskut: ajosta ei jäänyt muistiin mitään, joten koko aineiston"
        " ajaminen lähettäisi myös hyväksytyt laskut toiseen kertaan. Hyväksymättä jääneet laskut saa tiedostoon"
        " valitsimella --failed PATH.",
        "Nothing need be wrong with the invoices. Upload only these: nothing is remembered, so the whole file again"
        " would send the accepted ones a second time. `--failed PATH` puts what was not accepted into a file.",
    ),
}
"""The same of a run without a ledger, whose next one knows nothing of it."""
FILES_OF_SETTLE = Words(
    "Tee kaksi tiedostoa, yksi numero rivillä: perilla.txt (löytyneet laskut) ja puuttuvat.txt (puuttuvat)."
    " Jos rajapinnasta voi hakea yksittäisen laskun, komento tarkistaa asian itse valitsimella --lookup-path.",
    "Make two files, a number a line: found.txt of those that are there, missing.txt of those that are not."
    " Where the API can show an invoice, --lookup-path asks it instead.",
)
SETTLE = Words("--accepted perilla.txt --release puuttuvat.txt", "--accepted found.txt --release missing.txt")

# -- the verdict

ALL_ACCEPTED = Words("Kaikki {read} laskua on hyväksytty.", "All {read} invoices are accepted.")
ONE_ACCEPTED = Words("Lasku on hyväksytty.", "The invoice is accepted.")
ACCOUNTED_FOR = Words(
    "Kaikki {read} laskua on käsitelty: hyväksyttyjä {accepted}, kaksoiskappaleita {duplicate}.",
    "All {read} invoices are accounted for: accepted {accepted}, duplicates {duplicate}.",
)
ONE_DUPLICATE = Words("Lasku on kaksoiskappale: se on hyväksytty jo aiemmin.", "The invoice is a duplicate.")
ALL_OF_SOME = Words(
    "Kaikki {read} luettua laskua on käsitelty, mutta aineistoa ei luettu loppuun.",
    "The {read} {read:invoice|invoices} read {read:is|are} accounted for, but the input was not read to its end.",
)
SETTLED_ALL = Words(
    "{read} laskusta {settled} jäi epäselväksi, mutta {settled:se|ne} on sittemmin selvitetty.",
    "Of {read} {read:invoice|invoices}, {settled} {settled:was|were} left unknown and {settled:is|are} settled since.",
)
NOTHING_READ = Words("Aineistossa ei ollut yhtään laskua.", "There was no invoice to upload.")
UNREADABLE = Words("Aineistoa ei voitu lukea.", "Nothing could be read.")
NEED_A_LOOK = Words(
    "{read} laskusta {failed} vaatii toimenpiteitä; {accepted} on hyväksytty.",
    "{failed} of {read} invoices need a look; {accepted} {accepted:is|are} accepted.",
)
NEEDS_A_LOOK = Words(
    "{read} laskusta yksi vaatii toimenpiteitä; {accepted} on hyväksytty.",
    "One of {read} invoices needs a look; {accepted} {accepted:is|are} accepted.",
)
ONE_NEEDS_A_LOOK = Words("Lasku vaatii toimenpiteitä.", "The invoice needs a look.")
STOPPED = Words(
    "Ajo pysähtyi ennen loppua: {read} luetusta laskusta {accepted} on hyväksytty.",
    "The upload stopped before its end: {accepted} of the {read} invoices read {accepted:is|are} accepted.",
)
NONE_BUT_ONE_READ = Words(
    "Ajo päättyi kesken: laskua ei hyväksytty.", "The upload ended early: its one invoice is not accepted."
)
INTERRUPTED = Words(
    "Ajo keskeytettiin: {read} luetusta laskusta {accepted} on hyväksytty.",
    "The upload was interrupted: {accepted} of the {read} invoices read {accepted:is|are} accepted.",
)
CUT_OFF = Words(
    "Ajo katkesi kesken: viimeisten merkintöjen mukaan {read} laskusta {accepted} oli hyväksytty.",
    "The upload was cut off: by its last notes, {accepted} of {read} invoices {accepted:was|were} accepted.",
)
UNDER_WAY = Words(
    "Ajo on kesken: tähän mennessä {read} laskusta {accepted} on hyväksytty.",
    "The upload is under way: so far, {accepted} of {read} invoices {accepted:is|are} accepted.",
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
ENDED_BY_LIMIT = Words("ajettu asetettuun rajaan (limit)", "ran as far as its limit")

# -- the page

TITLE = Words("Laskujen lähetysraportti", "Invoice upload report")
LANGUAGE = Words("Kieli", "Language")
DARK = Words("Tumma tila", "Dark mode")
SKIP = Words("Siirry sisältöön", "Skip to the content")
OUTCOMES = Words("Tulokset", "Outcomes")
INVOICES_READ = Words("{read} {read:luettu lasku|luettua laskua}", "{read} {read:invoice|invoices} read")
TO_BE_DONE = Words("Vaatii toimenpiteitä", "What needs a person")
NOTHING_TO_DO = Words("Mikään ei vaadi toimenpiteitä.", "Nothing needs to be done.")
RAW_ANSWER = Words("Palvelimen vastaus (laskujen tiedot peitetty)", "The server's answer (invoice values blanked)")
EXAMPLE = Words("Esimerkki oikeasta", "A right example")
AND_MORE = Words("ja {more} {more:muu|muuta}", "and {more} more")
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
INPUTS_TO_DO_UNREMEMBERED = Words(
    "Luetut laskut on käsitelty, mutta ajosta ei jäänyt muistiin mitään: korjaa aineisto ja aja siitä vain ne laskut,"
    " joita ei luettu. Muut lähtisivät toiseen kertaan.",
    "What was read is accounted for, but nothing is remembered: mend the input and upload only what was not read of it."
    " The others would be sent a second time.",
)
INPUTS_UNNAMED = Words(
    "Lukuvirheitä: {count}. Tiedostojen nimet näkyivät ajon aikana; niitä ei tallenneta.",
    "{count} in all. Their names were shown when it ran; they are not kept on record.",
)
UNREAD = Words(
    "Aineistoa ei luettu loppuun: sen loppuosan laskuilla ei ole tulosta. Aja sama aineisto uudelleen.",
    "The input was not read to its end: what follows in it has no outcome. Upload it again.",
)
UNREAD_UNREMEMBERED = Words(
    "Aineistoa ei luettu loppuun: sen loppuosan laskuilla ei ole tulosta. Ajosta ei jäänyt muistiin mitään: aja vain"
    " loppuosa.",
    "The input was not read to its end: what follows in it has no outcome. Nothing is remembered: upload only what"
    " follows.",
)
RELEASED = Words("Vapautetut, yhä lähettämättä", "Released, and still to be sent")
RELEASED_TO_DO = Words(
    "Näiden aiemmin epäselvien laskujen on todettu puuttuvan palvelimelta, eikä niitä ole lähetetty sen jälkeen."
    " Lisää ne seuraavaan ajoon.",
    "These were unknown once, are settled as not accepted and have not been sent since. Put them into the next upload.",
)
SETTLED_SINCE = Words(
    "Tämän ajon epäselvistä laskuista on sittemmin selvitetty {settled}; luettelossa ovat vain yhä epäselvät.",
    "{settled} of the invoices that this run left unknown {settled:is|are} settled since; only those still unknown are"
    " listed.",
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
TOO_SHORT = Words("Ajo oli liian lyhyt nopeuden mittaamiseen.", "The run was too short to tell how fast it was.")
NO_HISTORY = Words(
    "Tästä ajosta ei ole tallennettu nopeuden kehitystä.", "How fast this run was over time is not on record."
)
GOT_THROUGH = Words("hyväksytty tai kaksoiskappale", "accepted or duplicate")
NEEDS_SOMEBODY = Words("vaatii toimenpiteitä", "needs a person")
HELD = Words("tauko: palvelin ei ottanut enempää vastaan", "on hold, since the server would not take more")

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
SEARCH = Words("Hae numerolla, tuloksella, syyllä tai paikalla", "Find by number, outcome, reason or place")
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
    "Raportti on koottu jälkikäteen lähetysrekisteristä. Lukumäärät ovat ajon omat; luettelo näyttää laskujen"
    " nykyisen tilan.",
    "This report is made afterwards, from the ledger. The counts are the run's own; the list is what is on record of"
    " the invoices now.",
)
MORE_LISTED = Words(
    "Luettelossa on {listed} laskua, koska siinä ovat kaikki aiempien ajojen yhä epäselvät laskut: rekisteri ei kerro,"
    " mitkä niistä olivat tässä aineistossa.",
    "It lists {listed}, since all that is still unknown of earlier runs is among them: the ledger cannot tell which of"
    " these were in this input.",
)
LISTED = Words(
    "Ajon {failed} selvitettävästä laskusta luettelossa on {listed}: aiempi tai myöhempi ajo on voinut käsitellä muut."
    " Laskuja, joilta puuttuu numero, joiden numero on toisen laskun käytössä tai jotka rikkovat tarkistussääntöä, ei"
    " tallenneta.",
    "Of the run's {failed} it lists {listed}: an earlier or later run may have dealt with the others, and what breaks"
    " a rule, has no number or has another invoice's number is not kept.",
)
FROM_NOTES = Words(
    "Raportti on koottu jälkikäteen lähetysrekisteristä. Ajo päättyi kesken, joten luvut ovat sen viimeisistä"
    " merkinnöistä ja siitä, mitä sen laskuista on kirjattu nyt: laskut, jotka myöhempi ajo on ottanut hoitaakseen,"
    " puuttuvat luvuista.",
    "This report is made afterwards, from the ledger. The run ended in the middle: the counts are from its last notes"
    " and from what is on record of its invoices now, without those that a later run has taken over.",
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
REQUESTS_NOTED = Words("{requests}, joista uusintoja {retries}", "{requests}, {retries} of them again")
HOLDS = Words("Taukoja, kun palvelin ei ottanut vastaan", "Holds, since the server would not take more")
HOLDS_TOLD = Words("{holds}, yhteensä {seconds}", "{holds}, {seconds} in all")
NO_HOLDS = Words("ei yhtään", "none")
ENVIRONMENT = Words("Ympäristö", "Environment")
CREDITOR = Words("Laskuttaja", "Creditor")
LEDGER = Words("Lähetysrekisteri (ledger)", "Ledger")
NONE = Words("ei ole", "none")
NOT_GIVEN = Words("ei annettu", "none")
RUN = Words("Ajon tunnus", "Run")
VERSION = Words("Ohjelman versio", "Version")
PRODUCTION = Words("tuotanto", "production")
