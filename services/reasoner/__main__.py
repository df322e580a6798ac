import sys

from racro.servekit.app import serve
from racro.servekit.arguments import parse_arguments
from racro.servekit.settings import WrongSettingsError
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

parse_arguments(
    "services.reasoner",
    "The reasoner: a text-only model behind OpenAI's chat API.",
    ReasonerSettings,
)
settings = ReasonerSettings.load()
try:
    app = create_reasoner(settings)
except WrongSettingsError as error:
    sys.exit(error.told)
serve(app, settings, service="reasoner")
