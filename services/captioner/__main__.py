import sys

from racro.servekit.app import serve
from racro.servekit.arguments import parse_arguments
from racro.servekit.settings import WrongSettingsError
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings

parse_arguments(
    "services.captioner",
    "The captioner: images and a question in, caption and tentative response out, over HTTP.",
    CaptionerSettings,
)
settings = CaptionerSettings.load()
try:
    app = create_captioner(settings)
except WrongSettingsError as error:
    sys.exit(error.told)
serve(app, settings, service="captioner")
