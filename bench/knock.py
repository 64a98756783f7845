"""Asks one address over a new connection each time, from processes of their own with plain blocking sockets.

wrk is not used for this: it opens connections that it closes without a word, and in such a connection a
process of OpenSSL 3.0's responder turns round for ever.
"""

import contextlib
import json
import resource
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

from bench.wrk import Asked


def knock(url: str, *, connections: int, seconds: float) -> Asked:
    """Keep so many processes busy for so long. An answer that is not a whole 200 counts as an error."""
    command = [sys.executable, "-m", "bench.knock", url, str(seconds)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(connections)]
    told = [json.loads(worker.communicate()[0]) for worker in workers]
    times = sorted(spent for one in told for spent in one["times"])
    return Asked(
        answers=len(times),
        seconds=seconds,
        errors=sum(one["errors"] for one in told),
        half_us=times[len(times) // 2] * 1e6,
        most_us=times[len(times) * 99 // 100] * 1e6,
        generator_cpu_s=sum(one["cpu_s"] for one in told),
    )


def work(url: str, seconds: float) -> None:
    """Ask until the time is over, and print what was seen."""
    parts = urlsplit(url)
    place = (parts.hostname, parts.port)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    times: list[float] = []
    errors = 0
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        with contextlib.suppress(OSError):
            if _is_whole(_ask(place, request)):
                times.append(time.perf_counter() - begun)
                continue
        errors += 1
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"times": times, "errors": errors, "cpu_s": used.ru_utime + used.ru_stime}))


def _ask(place: tuple[str | None, int | None], request: bytes) -> bytes:
    with socket.create_connection(place, 10) as one:
        one.sendall(request)
        answer = b""
        while part := one.recv(65536):
            answer += part
        return answer


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    length = head.lower().partition(b"content-length:")[2].split(None, 1)
    return len(words) > 1 and words[1] == b"200" and bool(length) and len(body) == int(length[0])


if __name__ == "__main__":
    work(sys.argv[1], float(sys.argv[2]))
