from racro.servekit.app import serve
from racro.servekit.arguments import parse_arguments
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

parse_arguments(
    "services.reasoner",
    "The reasoner: a text-only model behind OpenAI's chat API.",
    ReasonerSettings,
)
settings = ReasonerSettings.load()
serve(create_reasoner(settings), settings, service="reasoner")
