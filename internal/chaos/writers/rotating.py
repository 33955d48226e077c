"""Writes numbered JSON lines with logging.handlers.RotatingFileHandler, as a Python service does.

Each line carries the writer's name and a number, 1 to --lines, and a message that follows from both, so that a
reader of what arrived can tell what is missing, doubled or damaged. Files: DIR/NAME.log, renamed to .1, .2, .3 ...
Prints a JSON object when done: what was written, how often the file was rotated.
"""

import argparse
import datetime
import json
import logging
import logging.handlers
import os
import time

LEVELS = {0: logging.ERROR, 25: logging.WARNING, 12: logging.WARNING, 37: logging.DEBUG}


class ReferenceFormatter(logging.Formatter):
    """One JSON object a line; the timestamp is UTC without saying so."""

    def format(self, record):
        entry = {
            "timestamp": datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
            .replace(tzinfo=None)
            .isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "module": record.module,
            "function": record.funcName,
            "line": record.lineno,
            "trace_id": "%032x" % record.n,
            "user_id": "user-%d" % (record.n % 1000),
            "tenant_id": "tenant-%d" % (record.n % 7),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        entry.update(getattr(record, "request", {}))
        entry["writer"] = record.writer
        entry["n"] = record.n
        return json.dumps(entry)


class CountingHandler(logging.handlers.RotatingFileHandler):
    """A RotatingFileHandler that knows how often it rotated and raises what the standard one would only print."""

    rotations = 0

    def doRollover(self):
        super().doRollover()
        self.rotations += 1

    def handleError(self, record):
        raise


def message(writer, n):
    return "line %d of %s: %send %d" % (n, writer, "payload " * (n % 13), n)


def request(n):
    return {
        "service": "orders",
        "endpoint": "/orders/%d/items" % n,
        "method": "GET",
        "status": 500 if n % 50 == 0 else 200,
        "response_time": round(1.5 * (n % 1000), 1),
        "client_ip": "10.1.%d.%d" % (n // 250 % 250, n % 250),
        "user_agent": "python-requests/2.31.0",
    }


def write(logger, writer, n):
    extra = {"n": n, "writer": writer}
    if n % 3 == 0:
        extra["request"] = request(n)
    level = LEVELS.get(n % 50, logging.INFO)
    if level != logging.ERROR:
        logger.log(level, message(writer, n), extra=extra)
        return
    try:
        raise ValueError("amount %d is wrong" % n)
    except ValueError:
        logger.exception(message(writer, n), extra=extra)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="lines per second")
    parser.add_argument("--rotate", type=float, default=0.1, help="seconds between rotations, about")
    options = parser.parse_args()

    line_bytes = 420  # about
    max_bytes = int(options.rate * options.rotate * line_bytes)
    # Nothing that was not read may be deleted: enough backups for all of it.
    backups = 2 * options.lines * line_bytes // max_bytes + 10
    handler = CountingHandler(
        os.path.join(options.dir, options.name + ".log"), maxBytes=max_bytes, backupCount=backups
    )
    handler.setFormatter(ReferenceFormatter())
    logger = logging.getLogger("chaos." + options.name)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)

    start = time.monotonic()
    n = 0
    while n < options.lines:
        due = min(options.lines, int((time.monotonic() - start) * options.rate) + 1)
        while n < due:
            n += 1
            write(logger, options.name, n)
        time.sleep(0.005)
    handler.close()
    print(
        json.dumps(
            {
                "writer": options.name,
                "lines": n,
                "rotations": handler.rotations,
                "seconds": round(time.monotonic() - start, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
