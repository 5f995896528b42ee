"""Ask the server beside this program whether it is well; Docker does so twice a minute."""

import os
import sys
from http import HTTPStatus, client

EVERYWHERE = ("", "0.0.0.0")  # noqa: S104  # what the server listens on
TIMEOUT_SECONDS = 5.0


def main() -> int:
    host, port = os.environ.get("HOST", ""), int(os.environ.get("PORT") or 80)
    connection = client.HTTPConnection("127.0.0.1" if host in EVERYWHERE else host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health")
        with connection.getresponse() as response:
            # Hanging up before the end would look like a broken connection to the server.
            response.read()
            return int(response.status != HTTPStatus.OK)
    except (OSError, client.error):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
