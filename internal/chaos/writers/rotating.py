"""Writes numbered JSON lines with a rotating handler of logging.handlers, as a Python service does.

Each line carries the writer's name and a number, 1 to --lines, and a message that follows from both, so that a
reader of what arrived can tell what is missing, doubled or damaged. Files: DIR/NAME.log, renamed to .1, .2, .3 ..., or to
DIR/NAME.log.2026-11-23_10-11-12.
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


class Counting:
    """Makes a handler count its rotations and raise what it would only print."""

    rotations = 0

    def doRollover(self):
        super().doRollover()
        self.rotations += 1

    def handleError(self, record):
        raise


class CountingHandler(Counting, logging.handlers.RotatingFileHandler):
    pass


class CountingTimedHandler(Counting, logging.handlers.TimedRotatingFileHandler):
    pass


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
    parser.add_argument("--rate", type=float, required=True, help="lines per second; 0 writes as fast as it can")
    parser.add_argument("--rotate", type=float, default=0.1, help="seconds between rotations, about")
    parser.add_argument("--every", type=int, default=0, help="rotate after about so many lines instead, if not 0")
    parser.add_argument("--timed", action="store_true", help="rotate every second, to names with the time")
    options = parser.parse_args()

    path = os.path.join(options.dir, options.name + ".log")
    if options.timed:
        handler = CountingTimedHandler(path, when="S", interval=1)
    else:
        line_bytes = 420  # about
        max_bytes = int(options.every or options.rate * options.rotate) * line_bytes
        # Nothing that was not read may be deleted: enough backups for all of it.
        backups = 2 * options.lines * line_bytes // max_bytes + 10
        handler = CountingHandler(path, maxBytes=max_bytes, backupCount=backups)
    handler.setFormatter(ReferenceFormatter())
    logger = logging.getLogger("chaos." + options.name)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)

    start = time.monotonic()
    n = 0
    while n < options.lines:
        due = options.lines
        if options.rate:
            due = min(due, int((time.monotonic() - start) * options.rate) + 1)
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
