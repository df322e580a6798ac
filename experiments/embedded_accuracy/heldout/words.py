"""The labels of the held-out drawings, from domains that no other data of the project use."""

FERRIES = ("Skerry Queen", "Northern Lantern", "Tidewater", "Marram", "Salt Maiden", "Farwater")
MINERALS = ("Quartz", "Feldspar", "Gypsum", "Calcite", "Fluorite", "Barite", "Mica", "Pyrite")
SPICES = ("Cumin", "Cardamom", "Turmeric", "Clove", "Nutmeg", "Sumac", "Star anise", "Fenugreek")
INSTRUMENTS = ("Cello", "Oboe", "Bassoon", "Trombone", "Harp", "Lute", "Zither", "Cornet")
TOOLS = ("Chisel", "Mallet", "Hand plane", "Clamp", "Spirit level", "Bench vice", "Rasp", "Auger")
RIVERS = ("Tarrow", "Upper Esk", "Winnow", "Brackwater", "Glaiss", "Sedgeburn", "Ouzel Beck")
BRIDGES = ("Farrow Bridge", "Old Toll Bridge", "Kestle Viaduct", "Mill Arch", "Narrow Span")
MUSEUM_ROOMS = ("Armour Hall", "Map Gallery", "Clock Room", "Coin Cabinet", "Textile Wing")
DANCES = ("Tango", "Foxtrot", "Rumba", "Quickstep", "Bolero", "Mazurka", "Polka")
FABRICS = ("Linen", "Wool", "Denim", "Velvet", "Silk", "Tweed", "Corduroy")
TELESCOPES = ("Corvane", "Halcyon", "Deepwell", "Tycho Dish", "Argus Array", "Longsight")
SATELLITES = ("Orbis-2", "Orbis-3", "Meridian", "Zenith-A", "Pathway-7", "Vantage")
DAMS = ("Stonewater", "Gorge Dam", "Lake Harrow", "High Weir", "Twin Sluice", "Coldbrook")
CHEMICALS = ("Acetone", "Ethanol", "Glycerol", "Toluene", "Hexane", "Xylene", "Benzene")
LOAVES = ("Ciabatta", "Focaccia", "Sourdough", "Baguette", "Brioche", "Pumpernickel")
AIRPORTS = ("Oakhaven", "Port Ellery", "Tarn Bay", "Westmoor", "Sandholm", "Fallowmere")
TRAMS = ("Harbour Line", "Castle Line", "Depot Line", "Ring Line", "Mill Line", "Forest Line")
PARKS = ("Larch Common", "Founders Park", "Quarry Park", "Reservoir Park", "Bandstand Lawn")
SURNAMES = ("Lindqvist", "Osei", "Marchetti", "Thornbury", "Vasquez", "Okonjo", "Draycott", "Sato")
PLANETS = ("Venus", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")
BOATS = ("Sloop", "Ketch", "Schooner", "Cutter", "Dinghy", "Catamaran")
SPORTS = ("Rowing", "Fencing", "Archery", "Curling", "Judo", "Sailing")
TREES = ("Birch", "Spruce", "Alder", "Beech", "Hornbeam", "Larch", "Yew")
CHEESES = ("Gouda", "Feta", "Brie", "Cheddar", "Halloumi", "Gruyere")
PASTRIES = ("Croissant", "Scone", "Cinnamon roll", "Pretzel", "Custard tart", "Doughnut")
HARDWARE = ("Wood glue", "Sandpaper", "Varnish", "Paint brush", "Masking tape", "Brass hinge")
FURNITURE = ("Floor lamp", "Desk lamp", "Wool rug", "Bookcase", "Armchair", "Side table")
DISHES = (
    "Noodle soup",
    "Flatbread",
    "Barley risotto",
    "Seafood stew",
    "Baked custard",
    "Tofu curry",
)
STATIONERY = ("Notebook", "Fountain pen", "Ink bottle", "Stapler", "Envelopes", "Ruler")
CAMPING = ("Tent", "Camp stove", "Sleeping bag", "Lantern", "Rope", "Water filter")
CAFE = ("Espresso", "Cortado", "Cocoa", "Chai", "Macchiato", "Iced tea")
SEWING = ("Thread", "Needles", "Zip", "Lining", "Buttons", "Ribbon")
CASTLES = ("Dunmarrow", "Ashkeep", "Wyrmgate", "Tallis Tower", "Fenhold")
VOLCANOES = ("Karrak", "Mount Ebla", "Tolima Peak", "Sarvo", "Ashcone")
TEAMS = ("Millbrook", "Harrowgate", "Stanwick", "Quayside", "Ashby Lock", "Tollgate")
