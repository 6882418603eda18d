"""Does a mail server that nobody here wrote take the letters of the bot, and do readers of mail understand them?

    python3 tests/peers/smtp_server.py TARGET/release/bellwether

Needs aiosmtpd 1.4.6, dkimpy 1.1.8 with pynacl, and openssl. The bot is set up by its environment and a file alone. Prints one line a
check, and fails with the first that is wrong.
"""

import base64
import email
import email.policy
import logging
import os
import re
import ssl
import subprocess
import sys
import tempfile
import warnings

import dkim
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

USER, PASSWORD = b"bot@example.org", b"a word: p%/@ss"
URL_LOGIN = "bot%40example.org:a%20word%3A%20p%25%2F%40ss"
passed = 0


def check(name, holds):
    global passed
    if not holds:
        sys.exit(f"FAILED: {name}")
    passed += 1
    print(f"ok: {name}")


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *arguments], input=text, check=True, capture_output=True).stdout


class Box:
    """Keeps what comes."""

    def __init__(self):
        self.letters = []
        self.refused = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refused == 0:
            self.refused = 1
            return "451 4.7.1 greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        login = session.auth_data
        tls = server.transport.get_extra_info("ssl_object") is not None
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, tls, login))
        return "250 taken"


def certificate(folder):
    """An authority, and a server's certificate by it."""
    ca, key, own, request = (os.path.join(folder, name) for name in ("ca.pem", "key.pem", "own.pem", "own.csr"))
    ca_key = os.path.join(folder, "ca-key.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca_key, "-out", ca, "-subj", "/CN=peer", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    names = os.path.join(folder, "names")
    with open(names, "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", own, "-days", "2", "-extfile", names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own, key)
    return ca, context


def record(pem):
    """The key's record in DNS, as docs/EMAIL.md makes it."""
    der = openssl("pkey", "-pubout", "-outform", "DER", text=pem)
    if len(der) < 60:
        return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(der[-32:])
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


def serve(box, folder, kind, context):
    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
        return AuthResult(success=good, auth_data=data.login if good else None)

    options = {"hostname": "127.0.0.1", "port": 0, "decode_data": False}
    if kind != "none":
        options |= {"authenticator": authenticate, "auth_required": True}
    if kind == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if kind == "implicit":
        options |= {"ssl_context": context, "auth_require_tls": False}

    class Any(Controller):
        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    server = Any(box, **options)
    server.start()
    return server


def run(bot, folder, box, kind, context, ca, key):
    server = serve(box, folder, kind, context)
    port = server.port
    url = {
        "none": f"smtp://127.0.0.1:{port}?tls=none",
        "starttls": f"smtp://{URL_LOGIN}@localhost:{port}",
        "implicit": f"smtps://{URL_LOGIN}@localhost:{port}",
    }[kind]
    with open(os.path.join(folder, "bellwether.toml"), "w") as file:
        file.write('[[people]]\nname = "ana"\nrole = "owner"\nemail = "ana@example.net"\n')
        file.write('[[routes]]\nmin = "info"\nto = ["ana:email"]\n')
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    setting = keep | {"SMTP_URL": url, "CA_FILE": ca, "EMAIL_FROM": "Bellwether <bot@example.org>", "BELLWETHER_LOG": "debug"}
    if key:
        setting["DKIM_KEY_FILE"] = key
    done = subprocess.run(
        [bot, "test", "all"], cwd=folder, env=setting, capture_output=True, timeout=200, text=True, stdin=subprocess.DEVNULL
    )
    told = done.stdout + done.stderr
    server.stop()
    return done, told


def letters(bot, kind, algorithm):
    with tempfile.TemporaryDirectory() as folder:
        ca, context = certificate(folder)
        key = pem = None
        if algorithm:
            key = os.path.join(folder, "dkim.pem")
            pem = openssl("genpkey", "-algorithm", *algorithm)
            with open(key, "wb") as file:
                file.write(pem)
        box = Box()
        box.refused = 1
        done, told = run(bot, folder, box, kind, context, ca, key)
        check(f"{kind}: the test message came ({len(box.letters)})", done.returncode == 0 and len(box.letters) == 1)
        secret = PASSWORD.decode()
        check(f"{kind}: no log tells the login or the address", secret not in told and "a%20word" not in told and "ana@example.net" not in told)
        for sender, to, content, tls, login in box.letters:
            understood(kind, sender, to, content)
            check(f"{kind}: TLS and login as they should be", (tls, login) == (kind != "none", USER if kind != "none" else None))
            if pem:
                signed(kind, algorithm[0], content, record(pem))


def understood(kind, sender, to, content):
    check(f"{kind}: one envelope a recipient", (sender, to) == ("bot@example.org", ["ana@example.net"]))
    mail = email.message_from_bytes(content, policy=email.policy.default)
    defects = [d for p in mail.walk() for d in list(p.defects) + [d for h in p.values() for d in getattr(h, "defects", [])]]
    check(f"{kind}: no defect", not defects)
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    check(f"{kind}: both parts tell it", "test" in text.lower() and "test" in html.lower())
    check(f"{kind}: the head", mail["Auto-Submitted"] == "auto-generated" and re.fullmatch(r"<[0-9a-f]{32}@example\.org>", mail["Message-ID"]))
    check(f"{kind}: lines are short and end as they should", all(len(line) <= 998 for line in content.split(b"\r\n")) and b"\n" not in content.replace(b"\r\n", b""))


def signed(kind, algorithm, content, dns):
    def holds(letter):
        try:
            return dkim.verify(letter, dnsfunc=lambda name, timeout=5: dns if name == b"bellwether._domainkey.example.org." else None)
        except dkim.DKIMException as error:
            print(f"   {error}")
            return False

    check(f"{kind}, {algorithm}: the signature holds", holds(content))
    check(f"{kind}, {algorithm}: and after it was folded anew", holds(content.replace(b"Subject: ", b"Subject:   ")))
    subject = re.search(rb"\r\nSubject: ([^\r]*)", content).group(1)
    for name, changed in [
        ("another subject", content.replace(subject, subject + b"x", 1)),
        ("another body", content.replace(b"test", b"best").replace(b"Test", b"Best")),
        ("another sender", content.replace(b"From: Bellwether", b"From: Somebody")),
        ("a way to leave", b"List-Unsubscribe: <https://evil.example/>\r\n" + content),
        ("a thread", b"In-Reply-To: <a@evil.example>\r\n" + content),
    ]:
        check(f"{kind}, {algorithm}: {name} breaks it", changed != content and not holds(changed))


def greylisted(bot):
    """The first try is put off; the letter comes a minute later, while the bot runs."""
    with tempfile.TemporaryDirectory() as folder:
        ca, context = certificate(folder)
        box = Box()
        server = serve(box, folder, "none", context)
        with open(os.path.join(folder, "bellwether.toml"), "w") as file:
            file.write('[[people]]\nname = "ana"\nrole = "owner"\nemail = "ana@example.net"\n')
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        setting = keep | {"SMTP_URL": f"smtp://127.0.0.1:{server.port}?tls=none"}
        bot = subprocess.Popen([bot, "run", "--no-console", "--speed", "real"], cwd=folder, env=setting, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(1_000):
                if box.letters:
                    break
                try:
                    bot.wait(0.1)
                    break
                except subprocess.TimeoutExpired:
                    pass
        finally:
            bot.terminate()
            bot.wait()
        server.stop()
        check("put off once, taken a minute later", box.refused == 1 and len(box.letters) >= 1)


def main():
    bot = os.path.abspath(sys.argv[1])
    letters(bot, "none", None)
    letters(bot, "starttls", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
    letters(bot, "implicit", ["ed25519"])
    if "--slow" in sys.argv:
        greylisted(bot)
    print(f"{passed} checks passed")


main()
