from racro.servekit.app import serve
from racro.servekit.arguments import parse_arguments
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings

parse_arguments(
    "services.captioner",
    "The captioner: images and a question in, caption and tentative response out, over HTTP.",
    CaptionerSettings,
)
settings = CaptionerSettings.load()
serve(create_captioner(settings), settings, service="captioner")
