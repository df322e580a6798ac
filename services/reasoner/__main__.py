from racro.servekit.app import serve
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

settings = ReasonerSettings.load()
serve(create_reasoner(settings), settings, service="reasoner")
