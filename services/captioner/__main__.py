from racro.servekit.app import serve
from services.captioner.app import create_captioner
from services.captioner.settings import CaptionerSettings

settings = CaptionerSettings.load()
serve(create_captioner(settings), settings, service="captioner")
