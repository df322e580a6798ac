"""The words of drawn screens: sentences, names, numbers and code, made of lists and chance."""

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOUNS = _words(
    """
    account adapter archive backup balance branch bridge bucket buffer bundle cache calendar
    campaign channel client cluster column commit contract counter customer dashboard
    dataset delivery deployment device document domain draft endpoint engine event export
    factory feature filter folder garden gateway group handler header history import index
    inspector interface invoice journal kernel key label ledger library licence listener
    machine manager market message meter migration mirror module monitor network notebook
    object order package panel partner payment picture pipeline planner player policy
    printer process product profile project provider quarter queue record region registry
    release report request reservation resource result review route sample schedule schema
    search sensor server service session setting shelf shipment signal socket source stage
    station storage stream summary supplier support table target task template tenant thread
    ticket timer token tracker transfer update upload user vendor version volume warehouse
    watcher window worker workspace
    """
)
VERBS = _words(
    """
    accept add allocate apply archive assign attach build cancel change check clear close
    collect compare compile connect copy count create delete deliver detach disable download
    drop enable export fetch filter find flush format handle import insert install invite
    join keep limit list load lock merge move open order pack parse pause print publish pull
    push read rebuild reload remove rename repair replace report reset resolve restart
    restore resume return review run save schedule send share show sign skip sort split
    start stop store submit sync test track update upload validate verify wait watch write
    """
)
ADJECTIVES = _words(
    """
    active annual available broken central closed common complete current daily default
    early empty external fast final first free full global hidden internal large last late
    local main manual missing monthly narrow native new next old open optional original
    partial pending plain primary private public quick quiet random recent regional remote
    secure shared short silent simple slow small special stable strict temporary total
    unknown unused valid weekly whole wide
    """
)
FILLERS = _words("the a this that each every our your their another")
LINKS = _words(
    """
    and but because while before after until unless when where so or with without from under
    over into between for at by of in on to than
    """
)
PEOPLE = _words(
    """
    Anna Boris Chloe Daniel Elif Farid Grace Hannah Igor Julia Kenji Laura Mateo Nadia Oscar
    Priya Quentin Rosa Samuel Tara Umar Vera Walter Xenia Yusuf Zoe
    """
)
SURNAMES = _words(
    """
    Adler Becker Castro Dubois Eriksen Fischer Grant Hoffman Ivanov Jensen Kaur Lindgren
    Moreau Novak Okafor Petrov Quinn Rossi Schmidt Tanaka Ueda Vogel Weber Young Zhang
    """
)
CITIES = _words(
    """
    Aarhus Bergen Cork Dresden Evora Florence Ghent Helsinki Izmir Jaca Krakow Lyon Malaga
    Nantes Oporto Prague Quimper Riga Seville Turku Utrecht Vienna Warsaw York Zurich
    """
)
MONTHS = _words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
EXTENSIONS = _words("py rs go ts js json yaml toml md txt csv html css sh log sql")
TYPES = _words("int str bool float bytes list dict Path None")


class Writer:
    """Makes texts of one screen by its own chance."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def noun(self) -> str:
        return self.rng.choice(NOUNS)

    def verb(self) -> str:
        return self.rng.choice(VERBS)

    def title(self, words: int = 2) -> str:
        """Return words that begin with capitals, as headings and buttons have."""
        made = [self.rng.choice(ADJECTIVES) for _ in range(words - 1)] + [self.noun()]
        return " ".join(word.capitalize() for word in made)

    def label(self, words: int = 3) -> str:
        """Return words of which the first begins with a capital."""
        made = [self.verb(), *(self.rng.choice(ADJECTIVES) for _ in range(words - 2)), self.noun()]
        return " ".join(made).capitalize()

    def person(self) -> str:
        return f"{self.rng.choice(PEOPLE)} {self.rng.choice(SURNAMES)}"

    def sentence(self) -> str:
        rng = self.rng
        words: list[str] = []
        for _ in range(rng.randint(2, 4)):
            words += [rng.choice(FILLERS), rng.choice(ADJECTIVES), self.noun(), self.verb() + "s"]
            words += [rng.choice(LINKS)]
        words[-1] = self.amount() if rng.random() < 0.3 else self.noun()
        if rng.random() < 0.4:
            words[5] += ","
        text = " ".join(words)
        return text[0].upper() + text[1:] + rng.choice("....?!")

    def paragraph(self, sentences: int) -> str:
        return " ".join(self.sentence() for _ in range(sentences))

    def amount(self) -> str:
        rng = self.rng
        forms = (
            lambda: str(rng.randint(1, 9999)),
            lambda: f"{rng.randint(1, 99)}.{rng.randint(0, 9)}%",
            lambda: f"${rng.randint(1, 9)},{rng.randint(100, 999)}.{rng.randint(10, 99)}",
            lambda: f"{rng.randint(1, 999)}.{rng.randint(1, 9)}",
        )
        return rng.choice(forms)()

    def date(self) -> str:
        rng = self.rng
        return f"{rng.randint(2019, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"

    def time(self) -> str:
        return f"{self.rng.randint(0, 23):02}:{self.rng.randint(0, 59):02}"

    def version(self) -> str:
        return f"{self.rng.randint(0, 9)}.{self.rng.randint(0, 30)}.{self.rng.randint(0, 20)}"

    def snake(self) -> str:
        return f"{self.verb()}_{self.noun()}"

    def camel(self) -> str:
        return self.noun().capitalize() + self.noun().capitalize()

    def file(self) -> str:
        return f"{self.noun()}.{self.rng.choice(EXTENSIONS)}"

    def path(self) -> str:
        return "/".join([self.noun() for _ in range(self.rng.randint(1, 3))] + [self.file()])

    def url(self) -> str:
        return f"https://{self.noun()}.example.com/{self.noun()}/{self.rng.randint(10, 999)}"

    def email(self) -> str:
        return f"{self.rng.choice(PEOPLE).lower()}@{self.noun()}.example"

    def digest(self, digits: int = 7) -> str:
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"
