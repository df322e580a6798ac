from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from racro.servekit.run import run

run(
    "gateway",
    "The gateway: questions about images, answered by any text-only reasoner, over HTTP.",
    GatewaySettings,
    create_gateway,
)
