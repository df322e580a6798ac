from racro.servekit.run import run
from services.reasoner.app import create_reasoner
from services.reasoner.settings import ReasonerSettings

run(
    "services.reasoner",
    "The reasoner: a text-only model behind OpenAI's chat API.",
    ReasonerSettings,
    create_reasoner,
)
