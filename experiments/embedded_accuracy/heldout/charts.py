"""Bar, line and pie charts: what each shows, how it looks and what is asked about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image

from experiments.embedded_accuracy.heldout import plots, vega, words
from experiments.embedded_accuracy.heldout.asking import (
    Numbers,
    missing,
    numbers,
    shares,
    spread,
    stated,
)
from experiments.embedded_accuracy.heldout.rendering import GroupedPlot, Plot
from experiments.embedded_accuracy.items import Drawing, Kind, Pair, Question

Span = tuple[float, float, float]  # lowest and highest value, and the least distance


@dataclass(frozen=True)
class Chart:
    name: str
    kind: Kind
    seed: int
    title: str
    labels: Sequence[str]
    count: int
    render: Callable[[Plot], Image.Image]
    asks: Callable[[Numbers], tuple[Question, ...]]
    span: Span = (0, 0, 1)
    form: str = "{:,.0f}"
    axis: str = ""
    prints_values: bool = True


@dataclass(frozen=True)
class Groups:
    """A value for each group and each series."""

    name: str
    seed: int
    title: str
    labels: Sequence[str]
    count: int
    series: tuple[str, ...]
    render: Callable[[GroupedPlot], Image.Image]
    asks: Callable[["Grid"], tuple[Question, ...]]
    span: Span
    form: str = "{:,.0f}"
    axis: str = ""


@dataclass(frozen=True)
class Grid:
    rng: Random
    groups: tuple[str, ...]
    series: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    form: str

    def of_series(self, index: int) -> Numbers:
        return numbers(self.rng, self.groups, [row[index] for row in self.values], self.form)

    def of_group(self, index: int) -> Numbers:
        return numbers(self.rng, self.series, self.values[index], self.form)


def _labels(rng: Random, chart: Chart | Groups) -> tuple[str, ...]:
    """Years keep their order; other labels are drawn from their list."""
    if chart.labels[0].isdigit():
        return tuple(chart.labels[: chart.count])
    return tuple(rng.sample(list(chart.labels), chart.count))


def _draw_chart(chart: Chart) -> Drawing:
    rng = Random(chart.seed)
    labels = _labels(rng, chart)
    values = (
        spread(rng, chart.count, *chart.span) if any(chart.span[:2]) else shares(rng, len(labels))
    )
    series = numbers(rng, labels, values, chart.form)
    printed = series.printed if chart.prints_values else ()
    plot = Plot(chart.title, labels, tuple(values), printed, chart.axis)
    pairs = tuple(Pair((label,), shown) for label, shown in zip(labels, printed, strict=False))
    return Drawing(
        f"heldout-{chart.name}", chart.kind, chart.render(plot), pairs, chart.asks(series)
    )


def _draw_groups(chart: Groups) -> Drawing:
    rng = Random(chart.seed)
    groups = _labels(rng, chart)
    flat = iter(spread(rng, chart.count * len(chart.series), *chart.span))
    values = tuple(tuple(next(flat) for _ in chart.series) for _ in groups)
    grid = Grid(rng, groups, chart.series, values, chart.form)
    printed = tuple(grid.of_group(index).printed for index in range(len(groups)))
    plot = GroupedPlot(chart.title, groups, chart.series, values, printed, chart.axis)
    pairs = tuple(
        Pair((group, name), shown)
        for group, row in zip(groups, printed, strict=True)
        for name, shown in zip(chart.series, row, strict=True)
    )
    return Drawing(f"heldout-{chart.name}", "bar", chart.render(plot), pairs, chart.asks(grid))


def charts() -> Iterator[Drawing]:
    yield from (_draw_chart(chart) for chart in (*BARS, *LINES, *PIES, *SILENT))
    yield from (_draw_groups(chart) for chart in GROUPED)


BARS = (
    Chart("bar-01", "bar", 4101, "Passengers per crossing", words.FERRIES, 5,
          vega.upright("fivethirtyeight", "Roboto"),
          lambda a: (
              a.lookup("Give the passenger figure for the {}."),
              a.least("Pick out the ferry that carried the fewest passengers."),
              a.outdoes("Did the {} carry more people than the {}?", "yes"),
          ), span=(90, 560, 7)),
    Chart("bar-02", "bar", 4102, "Spice exports in tonnes", words.SPICES, 6,
          vega.sideways("excel", "Source Sans Pro"),
          lambda a: (
              a.lookup("Tell me what tonnage of {} was exported."),
              a.gap("By how much do {} exports exceed those of {}?"),
              missing("Who bought most of the exported cardamom?"),
          ), span=(1200, 9800, 40)),
    Chart("bar-03", "bar", 4103, "Dam water level (m)", words.DAMS, 5,
          vega.upright("dark", "Hanken Grotesk"),
          lambda a: (
              a.lookup("How deep is the water at {}?"),
              a.most("At which dam does the water stand highest?"),
              a.above("Count the dams with a level beyond {} m."),
          ), span=(18, 96, 1)),
    Chart("bar-04", "bar", 4104, "Mean price of a tool", words.TOOLS, 5,
          vega.sideways("ggplot2", "Source Serif Pro"),
          lambda a: (
              a.lookup("What must one pay for the {}?"),
              a.together("Work out what the {} and the {} cost together."),
              a.name_of("Which tool is offered at {}?"),
          ), span=(8, 74, 0.5), form="${:,.2f}"),
    Chart("bar-05", "bar", 4105, "Bakery goods sold before noon", words.LOAVES, 6,
          plots.upright("ggplot", "Caladea", (8.6, 5.0)),
          lambda a: (
              a.lookup("What sales figure stands over {}?"),
              a.second("Which loaf took second place?"),
              missing("What did a loaf of rye bring in?"),
          ), span=(12, 98, 1)),
    Chart("bar-06", "bar", 4106, "Tram riders (thousands)", words.TRAMS, 4,
          plots.sideways("seaborn-v0_8-whitegrid", "Roboto"),
          lambda a: (
              a.lookup("Quote the ridership, in thousands, along the {}."),
              a.choice_least("Fewest riders:"),
              a.outdoes("Is the {} busier than the {}?", "no"),
          ), span=(3, 29, 0.2), form="{:.1f}"),
    Chart("bar-07", "bar", 4107, "Share of visitors by museum room", words.MUSEUM_ROOMS, 5,
          plots.upright("fivethirtyeight", "Manrope", (9.6, 5.2)),
          lambda a: (
              a.lookup("What part of the visitors went to the {}?"),
              a.name_of("Which room drew {} of the visitors?"),
              a.most("Single out the room that pulled in the biggest crowd."),
          ), form="{:.0f}%"),
    Chart("bar-08", "bar", 4108, "Mirror diameter (cm)", words.TELESCOPES, 5,
          plots.sideways("Solarize_Light2", "Source Serif Pro"),
          lambda a: (
              a.lookup("How wide is the mirror of the {}?"),
              a.gap("By what length does the mirror of the {} beat that of the {}?"),
              a.tally("Count the telescopes in the chart."),
          ), span=(60, 820, 5)),
)  # fmt: skip

GROUPED = (
    Groups("grouped-01", 4201, "Crossings, old and new timetable", words.FERRIES, 3,
           ("Old", "New"), vega.grouped("quartz", "Roboto"),
           lambda g: (
               g.of_series(0).lookup("Under the old timetable, what figure does the {} have?"),
               g.of_series(1).most("Which ferry leads under the new timetable?"),
               g.of_series(1).lookup("Give the new figure for the {}."),
           ), (10, 95, 1)),
    Groups("grouped-02", 4202, "Flights by airport", words.AIRPORTS, 4,
           ("Arrivals", "Departures"), vega.grouped("vox", "Source Sans Pro"),
           lambda g: (
               g.of_series(0).lookup("Tell me the arrivals at {}."),
               g.of_series(1).gap("How far do departures at {} outstrip departures at {}?"),
               missing("Which airline flies most often from Oakhaven?"),
           ), (110, 990, 6)),
    Groups("grouped-03", 4203, "Timber stock in cubic metres", words.TREES, 3,
           ("Planks", "Beams", "Logs"), vega.grouped("googlecharts", "Source Serif Pro"),
           lambda g: (
               g.of_series(1).lookup("What stock of {} beams is shown?"),
               g.of_series(2).least("Of which wood are the fewest logs in stock?"),
               g.of_series(0).together("What do the planks of {} and {} come to?"),
           ), (14, 88, 1)),
    Groups("grouped-04", 4204, "Rainfall at two stations", words.RIVERS, 4,
           ("Upland", "Lowland"), vega.grouped("latimes", "Hanken Grotesk", flat=True),
           lambda g: (
               g.of_series(0).lookup("Read off the upland rainfall along the {}."),
               g.of_series(1).outdoes("In the lowland, is {} wetter than {}?", "yes"),
               g.of_series(0).choice_most("Wettest river in the upland:"),
           ), (21, 240, 2), axis="mm"),
    Groups("grouped-05", 4205, "Medals of two clubs", words.SPORTS, 4,
           ("Millbrook", "Stanwick"), plots.grouped("seaborn-v0_8-deep", "Roboto"),
           lambda g: (
               g.of_series(0).lookup("What did Millbrook win in {}?"),
               g.of_series(1).most("In which sport was Stanwick strongest?"),
               g.of_series(1).above("In what number of sports did Stanwick pass {} medals?"),
           ), (3, 40, 1)),
    Groups("grouped-06", 4206, "Workshop income", words.SURNAMES, 4,
           ("Repairs", "Sales"), plots.grouped("bmh", "STIXGeneral"),
           lambda g: (
               g.of_series(1).lookup("How much did {} earn from sales?"),
               g.of_series(0).least("Who earned the least from repairs?"),
               missing("What rent does the workshop pay?"),
           ), (200, 4800, 25), form="${:,.0f}"),
    Groups("grouped-07", 4207, "Yield before and after cleaning", words.CHEMICALS, 3,
           ("Before", "After"), plots.grouped("tableau-colorblind10", "DejaVu Serif", (8.4, 5.0)),
           lambda g: (
               g.of_series(1).lookup("What yield of {} was reached after cleaning?"),
               g.of_series(0).outdoes("Before cleaning, did {} yield more than {}?", "no"),
               g.of_series(1).gap("After cleaning, by how many points does {} outstrip {}?"),
           ), (22, 96, 0.3), form="{:.1f}%"),
    Groups("grouped-08", 4208, "Dancers by level", words.DANCES, 3,
           ("Novice", "Skilled", "Master"),
           plots.grouped("seaborn-v0_8-darkgrid", "Manrope", (8.8, 5.8), flat=True),
           lambda g: (
               g.of_series(2).lookup("The {} class counts which number of masters?"),
               g.of_series(0).together("Join the novices of {} and {}: what number results?"),
               missing("Who teaches the rumba class?"),
           ), (4, 60, 1)),
)  # fmt: skip

YEARS = tuple(str(year) for year in range(2012, 2022))

LINES = (
    Chart("line-01", "line", 4301, "Kiln output (thousand bricks)", YEARS, 6,
          vega.line("fivethirtyeight", "Source Sans Pro"),
          lambda a: (
              a.lookup("What left the kiln in {}, in thousands?"),
              a.most("In which year did the kiln peak?"),
              missing("What did the kiln turn out in 2031?"),
          ), span=(24, 88, 1)),
    Chart("line-02", "line", 4302, "Visitors to Quarry Park", YEARS[2:], 5,
          vega.line("powerbi", "Roboto"),
          lambda a: (
              a.lookup("Give the visitor figure for {}."),
              a.gap("By how much did {} surpass {}?"),
              a.outdoes("Did {} bring more visitors than {}?", "yes"),
          ), span=(1100, 6900, 50)),
    Chart("line-03", "line", 4303, "Price of a tram ticket", YEARS[1:], 6,
          plots.line("seaborn-v0_8-white", "Source Serif Pro"),
          lambda a: (
              a.lookup("What did a ticket cost in {}?"),
              a.least("In which year was the ticket cheapest?"),
              a.gap("How much dearer was the ticket in {} than in {}?"),
              a.outdoes("Was the ticket dearer in {} than in {}?", "no"),
          ), span=(1.2, 4.6, 0.05), form="${:.2f}"),
    Chart("line-04", "line", 4304, "Glacier length (m)", YEARS, 7,
          plots.line("ggplot", "Hanken Grotesk", (9.2, 4.8)),
          lambda a: (
              a.lookup("How long was the glacier in {}?"),
              a.name_of("In which year did the glacier measure {} m?"),
              a.above("In what number of years was it longer than {} m?"),
          ), span=(640, 990, 4)),
    Chart("line-05", "line", 4305, "Harbour noise in decibels", words.BRIDGES, 5,
          plots.line("dark_background", "Roboto", (9.8, 4.8)),
          lambda a: (
              a.lookup("How loud is it at {}?"),
              a.least("Where is the harbour quietest?"),
              a.choice_value("The noise at {} is"),
          ), span=(38, 92, 0.5), form="{:.1f}"),
    Chart("line-06", "line", 4306, "Orders for silk (bales)", YEARS[4:], 5,
          vega.line("carbong90", "Manrope"),
          lambda a: (
              a.lookup("State the bales ordered in {}."),
              a.together("Bales of {} and {} taken together make what number?"),
              missing("From which town did the silk come?"),
          ), span=(30, 340, 3)),
)  # fmt: skip

PIES = (
    Chart("pie-01", "pie", 4401, "Fabric orders", words.FABRICS, 4,
          plots.pie("seaborn-v0_8-deep", "Roboto", legend=True),
          lambda a: (
              a.lookup("What share of the orders falls to {}?"),
              a.most("Which fabric takes the biggest slice?"),
              a.outdoes("Does the slice of {} open wider than the slice of {}?", "no"),
          ), form="{:.0f}%"),
    Chart("pie-02", "pie", 4402, "Boats in the marina", words.BOATS, 5,
          plots.pie("ggplot", "Source Sans Pro"),
          lambda a: (
              a.lookup("Tell me the share of the {} class."),
              a.together("What part do {} and {} make up jointly?"),
              a.outdoes("Does the {} part outweigh the {} part?", "no"),
          ), form="{:.0f}%"),
    Chart("pie-03", "pie", 4403, "Cheese counter takings", words.CHEESES, 4,
          vega.pie("excel", "Roboto"),
          lambda a: (
              a.lookup("What fraction of the takings came from {}?"),
              a.least("Which cheese earned the thinnest slice?"),
              missing("What did the counter earn in dollars?"),
          ), form="{:.0f}%"),
    Chart("pie-04", "pie", 4404, "Energy use in the shipyard",
          ("Welding", "Lighting", "Pumps", "Heating", "Winches"), 5,
          plots.together_pie("seaborn-v0_8-pastel", "Caladea"),
          lambda a: (
              a.lookup("What percentage goes into {}?"),
              a.name_of("Which use takes {}?"),
              a.tally("Count the uses of energy shown."),
          ), form="{:.0f}%"),
    Chart("pie-05", "pie", 4405, "Tickets by carriage",
          ("Saloon", "Dining car", "Sleeper", "Observation car"), 4,
          vega.pie("quartz", "Source Sans Pro", label_outside=True),
          lambda a: (
              a.lookup("What share of the tickets was for the {}?"),
              a.choice_most("Best-selling carriage:"),
              a.gap("By how many points does the {} lead the {}?"),
          ), form="{:.0f}%"),
    Chart("pie-06", "pie", 4406, "Hours at the observatory",
          ("Imaging", "Repairs", "Teaching", "Cloud breaks"), 4,
          plots.pie("seaborn-v0_8-muted", "Manrope", legend=True, hole=True),
          lambda a: (
              a.lookup("What portion of the hours went to {}?"),
              a.outdoes("Did {} take up more time than {}?", "yes"),
              a.together("{} and {} combined: what portion of the hours is that?"),
          ), form="{:.0f}%"),
    Chart("pie-07", "pie", 4407, "Seats in the town council",
          ("Harbour List", "Union", "Civic Front", "Free Voters"), 4,
          vega.pie("googlecharts", "Hanken Grotesk", hole=70),
          lambda a: (
              a.lookup("What number of seats did the {} win?"),
              a.second("Who is the runner-up in seats?"),
              missing("Who leads the Harbour List?"),
          ), span=(3, 31, 1)),
    Chart("pie-08", "pie", 4408, "Loaves by flour", ("Rye", "Spelt", "Wheat", "Oat", "Emmer"), 5,
          plots.together_pie("fivethirtyeight", "Source Serif Pro", (8.0, 5.2)),
          lambda a: (
              a.lookup("How big is the {} part?"),
              a.below("Count the flours with less than {}."),
              a.outdoes("Is {} used more widely than {}?", "no"),
          ), form="{:.0f}%"),
)  # fmt: skip

SILENT = (
    Chart("silent-01", "bar", 4501, "Customers per counter",
          ("Stamps", "Parcels", "Savings", "Passports"), 4,
          vega.upright("ggplot2", "Roboto", 460),
          lambda a: (
              missing("Give the exact customer figure for the parcels counter."),
              a.tally("For what number of counters is there a bar?"),
              stated("yes_no", "Is there a bar for passports?", "yes"),
          ), span=(40, 290, 15), prints_values=False),
    Chart("silent-02", "bar", 4502, "Lock traffic by canal", words.RIVERS, 5,
          plots.upright("bmh", "DejaVu Serif", (8.4, 4.8)),
          lambda _: (
              missing("Precisely what traffic passed on the Farlode canal?"),
              stated("lookup", "What heading stands above the chart?", "Lock traffic by canal"),
          ), span=(100, 900, 40), prints_values=False, axis="boats"),
    Chart("silent-03", "bar", 4503, "Castle towers by height", words.CASTLES, 5,
          plots.sideways("Solarize_Light2", "Caladea"),
          lambda a: (
              a.tally("Count the castles that have a bar."),
              missing("When was Ashkeep built?"),
          ), span=(12, 68, 3), prints_values=False),
    Chart("silent-04", "line", 4504, "Peat extraction", YEARS, 6,
          vega.line("latimes", "Source Serif Pro", 520),
          lambda _: (
              missing("What exact amount of peat was dug in 2014?"),
              stated("lookup", "Going by its title, what is this chart about?", "Peat extraction"),
          ), span=(100, 800, 30), prints_values=False),
    Chart("silent-05", "line", 4505, "Lighthouse keepers employed", YEARS, 6,
          plots.line("seaborn-v0_8-whitegrid", "Roboto"),
          lambda a: (
              missing("Exactly what staff did the lighthouses have in 2013?"),
              a.tally("For what number of years is a point drawn?"),
          ), span=(10, 90, 4), prints_values=False),
    Chart("silent-06", "pie", 4506, "Volcano alerts by mountain", words.VOLCANOES, 4,
          vega.pie("vox", "Roboto", hole=60),
          lambda a: (
              missing("Give the share of alerts from the first mountain in the legend."),
              a.tally("Count the mountains in the legend."),
          ), prints_values=False),
)  # fmt: skip
