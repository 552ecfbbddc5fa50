#!/usr/bin/env python3
"""Bring messages of SMS Server Tools 3 and Gammu SMSD to a reporter of the format `standard`.

Stands alone: needs Python 3.9 and nothing else. Copy it to the machine with the modem and set
CANARY_HOOK (the reporter's address) and CANARY_HOOK_SECRET (its whsec_ secret), for example in
the service's environment. Then:

    smsd.conf (SMS Server Tools 3):   eventhandler = /usr/local/bin/canary-bridge
    gammu-smsdrc:                     RunOnReceive = /usr/local/bin/canary-bridge

The modem's IMSI or PHONE_ID goes along as the device: say which number it has by
`canary reporter set NAME --receiver IMSI=13900000000`. Ends with 1 when the message was not
taken; its id depends on nothing but the message, so that running it again is harmless.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Optional

CODECS = {"ucs2": "utf-16-be", "utf-8": "utf-8", "iso": "latin-1", "gsm": "latin-1"}
SECONDS = 15
LAST_TRY = 5

Message = dict[str, str]


def read_smstools(path: str) -> Message:
    """Read a file of SMS Server Tools: headers, an empty line, the body in its alphabet."""
    head, _, body = Path(path).read_bytes().partition(b"\n\n")
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\n"))
    said = {name.strip().lower(): value.strip() for name, _, value in lines}
    codec = CODECS.get(said.get("alphabet", "iso").lower(), "utf-8")
    return {
        "text": body.decode(codec, "replace").strip("\n"),
        "sender": said.get("from", ""),
        "device": said.get("imsi") or said.get("modem", ""),
        "claimed_at": "20" + said["sent"] if said.get("sent") else "",
        "seed": said.get("received", ""),
    }


def read_gammu(environment: dict[str, str], ids: list[str]) -> Message:
    """Read what Gammu SMSD puts into the environment; the parts come together."""
    decoded = int(environment.get("DECODED_PARTS", "0") or 0)
    plain = int(environment.get("SMS_MESSAGES", "0") or 0)
    names = [f"DECODED_{number}_TEXT" for number in range(1, decoded + 1)]
    names = names or [f"SMS_{number}_TEXT" for number in range(1, plain + 1)]
    return {
        "text": "".join(environment.get(name, "") for name in names),
        "sender": environment.get("SMS_1_NUMBER", ""),
        "device": environment.get("PHONE_ID", ""),
        "claimed_at": "",
        "seed": " ".join(ids),
    }


def make_request(message: Message, url: str, secret: str, now: int) -> urllib.request.Request:
    """Sign a message by Standard Webhooks."""
    seed = "\0".join(message[name] for name in sorted(message)).encode("utf-8", "replace")
    own_id = "bridge-" + hashlib.sha256(seed).hexdigest()[:32]
    data = {name: value for name, value in message.items() if value and name != "seed"}
    body = json.dumps({"type": "report", "data": {"kind": "sms", **data}}).encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    sign = hmac.new(key, f"{own_id}.{now}.".encode() + body, "sha256").digest()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": own_id,
        "webhook-timestamp": str(now),
        "webhook-signature": "v1," + base64.b64encode(sign).decode(),
    }
    return urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - the operator's


def send(message: Message, url: str, secret: str, tries: int = LAST_TRY) -> int:
    """Post until it is taken; return 0, or 1 when it was refused or nobody answered."""
    for attempt in range(1, tries + 1):
        request = make_request(message, url, secret, int(time.time()))
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 - the operator's
                return 0
        except urllib.error.HTTPError as error:
            tell(f"answered {error.code}")
            error.close()
            if error.code not in (408, 429) and error.code < 500:
                return 1
        except OSError as error:
            tell(f"{error}")
        if attempt < tries:
            time.sleep(2 ** (attempt - 1))
    return 1


def tell(problem: str) -> None:
    """Write to the daemon's log."""
    sys.stderr.write(f"canary-bridge: {problem}\n")


def read(arguments: list[str], environment: dict[str, str]) -> Optional[Message]:  # noqa: UP045 - Python 3.9
    """Read the message this run is about; None when it is about something else."""
    if "SMS_MESSAGES" in environment:
        return read_gammu(environment, arguments)
    if len(arguments) == 2 and arguments[0] == "RECEIVED":
        return read_smstools(arguments[1])
    return None


def main() -> int:
    """Run once for one message."""
    message = read(sys.argv[1:], dict(os.environ))
    if message is None or not message["text"]:
        return 0
    try:
        url, secret = os.environ["CANARY_HOOK"], os.environ["CANARY_HOOK_SECRET"]
    except KeyError as error:
        tell(f"{error.args[0]} is not set")
        return 1
    return send(message, url, secret, int(os.environ.get("CANARY_HOOK_TRIES", LAST_TRY)))


if __name__ == "__main__":
    sys.exit(main())
