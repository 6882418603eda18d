"""Does the vendor's own library get along with the bot and with the fake Twilio?

    python3 tests/peers/twilio_signature.py target/release/bellwether target/release/examples/fake_twilio

Needs twilio 9.13.0. Its validator signs posts for a running bot: right ones are taken, wrong ones refused, however the address is written. Its
client sends to the fake and reads from it. Prints one line a check, and fails with the first that is wrong.
"""

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

SID = "AC00000000000000000000000000000001"
TOKEN = "token-of-the-fake"
FROM, PHONE = "+15005550006", "+351912345678"
PUBLIC = "https://bot.example.org"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
PEOPLE = f"""
[[people]]
name = "ana"
role = "owner"
phone = "{PHONE}"
email = "ana@example.org"
"""
passed = 0


def check(name, holds):
    global passed
    if not holds:
        sys.exit(f"FAILED: {name}")
    passed += 1
    print(f"ok: {name}")


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def started(command, **more):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)


def control(fake, what, **body):
    request = urllib.request.Request(f"{fake}/control/{what}", json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Nearby(HttpClient):
    """The vendor's client, led to the fake."""

    def __init__(self, fake):
        self.fake = urllib.parse.urlsplit(fake).netloc

    def request(self, method, url, params=None, data=None, headers=None, auth=None, **_):
        import base64

        parts = urllib.parse.urlsplit(url)
        query = urllib.parse.urlencode(params or {})
        body = urllib.parse.urlencode(data or {}, doseq=True) if data else None
        headers = dict(headers or {}, Authorization="Basic " + base64.b64encode(":".join(auth).encode()).decode())
        call = http.client.HTTPConnection(self.fake)
        call.request(method, parts.path + (f"?{query}" if query else ""), body, headers)
        answer = call.getresponse()
        return Response(answer.status, answer.read().decode())


def refused(code, call):
    try:
        call()
    except TwilioRestException as error:
        return error.code == code
    return False


def the_client(fake):
    client = Client(SID, TOKEN, http_client=Nearby(fake))
    sent = client.messages.create(to=PHONE, from_=FROM, body="N1 A fact", validity_period=300, smart_encoded=True)
    check("the client sends", sent.sid.startswith("SM") and sent.status == "queued" and sent.num_segments == "1")
    found = client.messages.list(to=PHONE)
    check("the client lists", [one.sid for one in found] == [sent.sid] and found[0].date_created is not None)
    check("another phone has none", client.messages.list(to="+12125550123") == [])
    create = client.messages.create
    check("no text", refused(21602, lambda: create(to=PHONE, from_=FROM, body="")))
    check("no number", refused(21211, lambda: create(to="nobody", from_=FROM, body="x")))
    check("no sender", refused(21603, lambda: create(to=PHONE, body="x")))
    check("too long", refused(21617, lambda: create(to=PHONE, from_=FROM, body="x" * 1601)))
    check("valid for nothing", refused(21624, lambda: create(to=PHONE, from_=FROM, body="x", validity_period=0)))
    underscore = lambda: create(to=PHONE, from_=FROM, body="x", status_callback="https://a_b.example/")
    check("an underscore", refused(21609, underscore))
    wrong = Client(SID, "another", http_client=Nearby(fake))
    check("another token", refused(20003, lambda: wrong.api.accounts(SID).fetch()))
    check("the account", client.api.accounts(SID).fetch().status == "active")


class Fields(dict):
    """Fields of which some are there more than once, as web frameworks hand them to the validator."""

    def getlist(self, name):
        return self[name] if isinstance(self[name], list) else [self[name]]


def signed(public, path, fields, token=TOKEN):
    return RequestValidator(token).compute_signature(public + path, Fields(fields))


def post(port, path, fields, signature, kind=FORM, body=None):
    body = urllib.parse.urlencode(fields, doseq=True) if body is None else body
    headers = {"Content-Type": kind, "X-Forwarded-Proto": "https"}
    if signature is not None:
        headers["X-Twilio-Signature"] = signature
    call = http.client.HTTPConnection("127.0.0.1", port)
    call.request("POST", path, body, headers)
    answer = call.getresponse()
    return answer.status, answer.read().decode()


def the_posts(port, fake):
    number = 0

    def text(body, **more):
        nonlocal number
        number += 1
        sid = f"SM{number:032x}"
        return {"MessageSid": sid, "SmsSid": sid, "From": PHONE, "To": FROM, "Body": body, "AccountSid": SID, **more}

    fields = text("MENU")
    status, body = post(port, "/sms", fields, signed(PUBLIC, "/sms", fields))
    check("a signed text is taken", (status, "<Response/>" in body) == (200, True))
    control(fake, "wait", text="Never STOP", count=1)
    check("and answered", True)
    for public in [PUBLIC, f"{PUBLIC}:443"]:
        fields = text("  what? ", Unknown="\tand more ", FromCity=" ", Media=["b", "a", "b"])
        status, _ = post(port, "/sms", fields, signed(public, "/sms", fields))
        check(f"odd fields, signed for {public}", status == 200)
    fields = text("x")
    check("a query", post(port, "/sms?a=1&b=%20x", fields, signed(PUBLIC, "/sms?a=1&b=%20x", fields))[0] == 200)
    state = {"MessageSid": fields["MessageSid"], "MessageStatus": "delivered", "RawDlrDoneDate": "2611211000"}
    check("a state", post(port, "/sms/status", state, signed(PUBLIC, "/sms/status", state))[0] == 204)
    halt = text("HALT")
    right = signed(PUBLIC, "/sms", halt)
    wrong = {
        "no signature": (None, halt, "/sms"),
        "an empty one": ("", halt, "/sms"),
        "another token": (signed(PUBLIC, "/sms", halt, "another"), halt, "/sms"),
        "another host": (signed("https://evil.example", "/sms", halt), halt, "/sms"),
        "another port": (signed(f"{PUBLIC}:8443", "/sms", halt), halt, "/sms"),
        "another path": (right, halt, "/sms/status"),
        "another query": (right, halt, "/sms?x=1"),
        "a changed field": (right, dict(halt, Body="halt"), "/sms"),
        "a trimmed field": (signed(PUBLIC, "/sms", dict(halt, Body="HALT ")), halt, "/sms"),
        "a further field": (right, dict(halt, More="1"), "/sms"),
        "a missing field": (signed(PUBLIC, "/sms", dict(halt, More="1")), halt, "/sms"),
    }
    for name, (signature, given, path) in wrong.items():
        check(f"refused: {name}", post(port, path, given, signature) == (403, ""))
    body = json.dumps({"MessageSid": "x"})
    path = "/sms?bodySHA256=" + hashlib.sha256(body.encode()).hexdigest()
    mac = signed(PUBLIC, path, {})
    kind = "application/json"
    check("JSON is believed and says nothing", post(port, path, {}, mac, kind, body)[0] == 400)
    check("JSON that was changed is refused", post(port, path, {}, mac, kind, body + " ")[0] == 403)
    path = "/sms?bodySHA256=" + "0" * 64
    check("and with another hash", post(port, path, {}, signed(PUBLIC, path, {}), kind, body)[0] == 403)


def main(bot, fake):
    bot, fake = os.path.abspath(bot), os.path.abspath(fake)
    desk = started([fake, "--sid", SID, "--token", TOKEN])
    url = desk.stdout.readline().split()[-1]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/bellwether.toml", "w") as file:
            file.write(PEOPLE)
        port = free_port()
        names = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": FROM, "TWILIO_API_URL": url}
        names |= {"PUBLIC_URL": PUBLIC, "HTTP_LISTEN": f"127.0.0.1:{port}", "PATH": os.environ["PATH"]}
        run = started([bot, "run", "--no-console", "--speed", "60"], cwd=folder, env=names)
        try:
            the_client(url)
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    if run.poll() is not None:
                        sys.exit("FAILED: the bot ended")
            the_posts(port, url)
        finally:
            run.terminate()
            run.wait(30)
            desk.kill()
            desk.wait()
    print(f"{passed} checks passed")


main(*sys.argv[1:])
