"""`python -m racro.servekit.healthcheck PORT`: status 0 if the service in this container is ready.

Not by urllib: a container is often told of a proxy, which does not know this loopback.
"""

import sys
from http.client import HTTPConnection

_TIMEOUT_S = 4
_OK = 200

connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=_TIMEOUT_S)
connection.request("GET", "/readyz")
sys.exit(connection.getresponse().status != _OK)
