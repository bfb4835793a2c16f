"""The sum that stands in nginx.conf: what nginx holds at worst with these figures, against what the pod gives it."""

import re

UNITS = {"": 1 / 1024, "k": 1, "m": 1024}
# Measured (test_nginx_memory.py), in KiB: TLS, HTTP/2 and pools of a request and of a connection; a ClientHello that does not come.
AROUND_A_REQUEST, AROUND_A_REFUSED_ONE, AROUND_A_CONNECTION, UNFINISHED_HELLO, IDLE = 60, 13, 42, 160, 16000


def figures(text: str, name: str) -> list:
    """The parameters of a directive, sizes in KiB and counts as they are; AttributeError if it is not there."""
    words = re.search(rf"^\s*{name}\s+([^;]*);", text, re.MULTILINE)[1].split()
    return [float(word[:-1]) * UNITS[word[-1]] if word[-1] in "km" else word for word in words]


def counts(text: str) -> dict:
    """How many of what; `auto` is no number."""
    zones = dict(re.findall(r"^\s*limit_conn (\w+) (\d+);", text, re.MULTILINE))
    return {
        "workers": figures(text, "worker_processes")[0],
        "connections": int(figures(text, "worker_connections")[0]),
        "streams": int(figures(text, "http2_max_concurrent_streams")[0]),
        "requests": int(zones.get("requests", 0)),
        "of one client": int(zones.get("clients", 0)),
    }


def worst(text: str) -> float:
    """KiB, for a configuration with a fixed number of workers."""
    count = counts(text)
    number, size = figures(text, "proxy_buffers")
    answer = figures(text, "proxy_buffer_size")[0] + int(number) * size
    heads, size = figures(text, "large_client_header_buffers")
    head = int(heads) * size
    body = max(figures(text, "http2_body_preread_size")[0], figures(text, "client_body_buffer_size")[0])
    request = body + answer + 2 * head + AROUND_A_REQUEST
    beyond = max(UNFINISHED_HELLO, head + AROUND_A_CONNECTION, count["streams"] * (head + AROUND_A_REFUSED_ONE) + AROUND_A_CONNECTION)
    connections = int(count["workers"]) * count["connections"]
    requests = min(count["requests"] or connections // 2, connections // 2)
    return IDLE + requests * request + (connections - 2 * requests) * beyond


def problems(text: str, settings: dict, container: dict, limit: float):
    """Lines on a configuration that does not fit into its container, or not to the settings of the server."""
    count = counts(text)
    if not str(count["workers"]).isdigit():
        yield f"worker_processes is {count['workers']}: it counts the processors of the machine, and each costs memory; write a number"
        return
    needed = worst(text)
    if limit < needed * 1024:
        yield f"nginx may need {needed / 1024:.0f} MiB and has {limit / 2**20:.0f} (worker_connections, limit_conn, buffers: nginx.conf)"
    end = re.search(r"ulimit -d (\d+)", " ".join(map(str, container.get("command", []))))
    if not end:
        yield "nginx is started without `ulimit -d`: what no sum bounds ends with the container and all its transfers"
    elif int(count["workers"]) * int(end[1]) + IDLE > limit / 1024:
        yield f"{count['workers']} workers of `ulimit -d {end[1]}` are more than the container has ({limit / 2**20:.0f} MiB)"
    all_connections, of_one = int(settings.get("MAX_CONNECTIONS", 1000)), int(settings.get("MAX_CONNECTIONS_PER_CLIENT", 0))
    if not count["requests"] or not count["of one client"]:
        yield "no limit_conn for all requests or for those of one client: one client can take all memory"
    elif not count["requests"] + 8 <= all_connections:
        yield (
            f"nginx lets {count['requests']} requests in and MAX_CONNECTIONS is {all_connections}:"
            " the kubelet's probes need 8 more, else a full node is restarted"
        )
    elif of_one and count["of one client"] > of_one:
        yield f"nginx lets {count['of one client']} requests of one client in and MAX_CONNECTIONS_PER_CLIENT is {of_one}"
