import sys

from gateway.app import create_gateway
from gateway.settings import GatewaySettings
from gateway.tenancy.keys_file import BadKeysFileError
from racro.servekit.app import serve
from racro.servekit.arguments import parse_arguments

parse_arguments(
    "gateway",
    "The gateway: questions about images, answered by any text-only reasoner, over HTTP.",
    GatewaySettings,
)
settings = GatewaySettings.load()
try:
    app = create_gateway(settings)
except BadKeysFileError as error:
    sys.exit(f"wrong settings:\n  tenants.keys_file: {error}")
serve(app, settings, service="gateway")
