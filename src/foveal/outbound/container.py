"""Files in a user's own container: Azure Blob by a URL with a shared access signature, or S3.

Azure is spoken to by its REST API, one request for each file: `obstore` would look the host up by itself, past our
guard, and would try the server's own Azure keys on a stranger's address. S3 has no addresses that carry a right, so
the server writes there with its own (`AWS_...` variables), and only into buckets that its owner allowed.
"""

from dataclasses import replace
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from foveal.errors import Invalid
from foveal.outbound.addresses import below, open_part
from foveal.security import FetchPolicy, Parcel, send

S3: Final = "s3://"
HEADERS: Final = {
    "x-ms-version": "2021-12-02",
    "x-ms-blob-type": "BlockBlob",
    "Content-Type": "application/octet-stream",
}
SLOWEST_BYTES_PER_SECOND: Final = 256 * 1024


def put(uri: str, name: str, data: bytes, policy: FetchPolicy) -> str:
    """Store the data in the container, over what has the name already; return its address without a secret.

    Raises:
        Invalid: The address is refused, or the container does not take the data.
    """
    if uri.lower().startswith(S3):
        return _put_s3(uri, name, data, policy.allowed_hosts)
    address = below(uri, name)
    seconds = policy.timeout_seconds + len(data) / SLOWEST_BYTES_PER_SECOND
    send(address, Parcel("PUT", data, HEADERS), replace(policy, timeout_seconds=seconds))
    return open_part(address)


def _put_s3(uri: str, name: str, data: bytes, allowed_buckets: frozenset[str]) -> str:
    bucket, _, prefix = open_part(uri)[len(S3) :].partition("/")
    if bucket not in allowed_buckets:
        hint = f"add {bucket} to FOVEAL_FETCH_ALLOWED_HOSTS to allow it"
        raise _refused(uri, f"the server's own credentials would write into its bucket; {hint}")
    try:
        # No options of ours: they would replace those of the environment, such as AWS_ALLOW_HTTP.
        store = S3Store(bucket, prefix=prefix.strip("/") or None, retry_config={"max_retries": 0})
        obstore.put(store, name, data)
    except (BaseError, OSError, ValueError) as error:
        # Its text may hold what S3 says of a wrong signature, so the kind has to do.
        raise _refused(uri, type(error).__name__) from error
    return open_part(below(uri, name))


def _refused(uri: str, reason: str) -> Invalid:
    return Invalid(f"{open_part(uri)} did not take what was sent: {reason}.", "BadRequestInvalidUri")
