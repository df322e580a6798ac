from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from racro.servekit.app import serve

settings = GatewaySettings.load()
serve(create_gateway(settings), settings, service="gateway")
