"""A request as it is, past what an SDK would let through."""

import http.client
import json
from urllib.parse import urlsplit


def request(cloud, method, path, body=None, **headers):
    """The status, the headers and the JSON (or the bytes) of what the cloud says."""
    data = json.dumps(body).encode() if body is not None else None
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=20)
    try:
        connection.request(method, path, data, {"Content-Type": "application/json", **names})
        response = connection.getresponse()
        raw = response.read()
    finally:
        connection.close()
    is_json = "json" in response.headers.get("Content-Type", "")
    return response.status, response.headers, json.loads(raw) if is_json else raw


def without(body, *names):
    return {name: value for name, value in body.items() if name not in names}
