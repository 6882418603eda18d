"""Does a client that nobody here wrote get along with the fake Discord?

    fake_discord &   # prints: listening on http://127.0.0.1:PORT
    python3 tests/peers/discord_client.py http://127.0.0.1:PORT

Needs discord.py 2.7.1. Prints one line a check, and fails with the first that is wrong.
"""

import asyncio
import io
import json
import logging
import sys
import urllib.request

import discord
import yarl
from discord import app_commands

TOKEN = "TEST.token-of.the-fake"
ANA = 501
CHANNEL = 700
GUILD = 9
passed = 0


def check(name, holds):
    global passed
    if not holds:
        sys.exit(f"FAILED: {name}")
    passed += 1
    print(f"ok: {name}", flush=True)


def control(url, what, **body):
    request = urllib.request.Request(f"{url}/control/{what}", json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def act(url, what, **body):
    return await asyncio.to_thread(control, url, what, **body)


def seen(url, channel, user=ANA):
    return control(url, "seen", channel=channel, user=user)["messages"]


async def refused(code, call):
    try:
        await call
    except discord.HTTPException as error:
        return error.code == code
    return False


class Form(discord.ui.Modal, title="Your PIN"):
    pin = discord.ui.TextInput(label="PIN", custom_id="pin", min_length=4, max_length=12)

    async def on_submit(self, interaction):
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send(f"got {self.pin.value}", ephemeral=True)


class Client(discord.Client):
    def __init__(self):
        intents = discord.Intents.none()
        intents.guilds = True
        intents.dm_messages = True
        super().__init__(intents=intents)
        self.tree = app_commands.CommandTree(self)
        self.heard = asyncio.Queue()
        self.there = asyncio.Event()

    async def on_ready(self):
        self.there.set()

    async def on_message(self, message):
        if message.author != self.user:
            self.heard.put_nowait(message)


def commands(client):
    @client.tree.command(name="why", description="Explains a decision")
    @app_commands.describe(symbol="Which one")
    async def why(interaction: discord.Interaction, symbol: str):
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(embed=discord.Embed(title=f"because of {symbol}"))
        client.heard.put_nowait(interaction)

    @why.autocomplete("symbol")
    async def symbols(interaction: discord.Interaction, current: str):
        return [app_commands.Choice(name=f"{current}{n}", value=f"{current}{n}") for n in range(3)]

    @client.tree.command(name="sure", description="Asks for a PIN")
    async def sure(interaction: discord.Interaction):
        await interaction.response.send_modal(Form())
        client.heard.put_nowait(interaction)


async def messages(client, url):
    ana = await client.fetch_user(ANA)
    dm = await ana.create_dm()
    embed = discord.Embed(title="AAPL closed", description="well", colour=0x2F80ED)
    embed.add_field(name="profit", value="1.50")
    sent = await dm.send(embed=embed, file=discord.File(io.BytesIO(b"a,b\n"), "t.csv"), silent=True)
    check("a message comes back as it was sent", sent.embeds[0].title == "AAPL closed" and sent.flags.suppress_notifications)
    check("with its file", sent.attachments[0].filename == "t.csv" and sent.attachments[0].size == 4)
    edited = await sent.edit(content="changed", embeds=[])
    check("an edit changes it", edited.content == "changed" and edited.edited_at is not None)
    check("somebody sees it", (await asyncio.to_thread(seen, url, dm.id))[0]["content"] == "changed")
    answer = await sent.reply("a reply")
    check("a reply names what it answers", answer.reference.message_id == sent.id)
    again = [await dm.send("once", nonce="n1") for _ in range(2)]
    check("a nonce is taken once", again[0].id == again[1].id)
    check("2001 are too many", await refused(50035, dm.send("x" * 2001)))
    check("nothing is refused", await refused(50006, dm.send("")))
    long = discord.Embed(title="x" * 257)
    check("a long title is refused", await refused(50035, dm.send(embed=long)))
    many = [discord.Embed(description="x" * 4000), discord.Embed(description="x" * 2001)]
    check("6001 in all are refused", await refused(50035, dm.send(embeds=many)))
    history = [message.id async for message in dm.history(limit=50)]
    check("the latest come first", history[0] == max(history) and sent.id in history)
    await sent.delete()
    check("a deletion is final", await refused(10008, sent.edit(content="x")))
    check("nobody is written to who takes nothing", await closed(client, url))


async def closed(client, url):
    await act(url, "join", user=ANA + 1, name="bob", open=False)
    bob = await client.fetch_user(ANA + 1)
    return await refused(50007, (await bob.create_dm()).send("hello"))


async def threads(client, url):
    channel = await client.fetch_channel(CHANNEL)
    root = await channel.send("AAPL opened")
    thread = await root.create_thread(name="AAPL")
    check("a thread has its message's number", thread.id == root.id)
    check("and takes messages", (await thread.send("stop moved")).channel.id == root.id)
    check("there is but one", await refused(160004, root.create_thread(name="again")))


async def interactions(client, url):
    await client.tree.sync()
    names = {command.name for command in await client.tree.fetch_commands()}
    check("commands come back", names == {"why", "sure"})
    typed = await act(url, "complete", user=ANA, path=["why"], options={"symbol": "A"}, focused="symbol")
    await act(url, "wait", method="callback")
    shown = (await act(url, "interaction", id=typed["id"]))["shown"]
    check("completion shows choices", [choice["value"] for choice in shown] == ["A0", "A1", "A2"])
    typed = await act(url, "command", user=ANA, channel=CHANNEL, path=["why"], options={"symbol": "AAPL"})
    heard = await client.heard.get()
    check("a command is heard", heard.id == int(typed["id"]) and heard.user.id == ANA and heard.guild_id == GUILD)
    state = await act(url, "interaction", id=typed["id"])
    check("it was deferred first", state["response"] == 5 and not state["loading"])
    last = (await asyncio.to_thread(seen, url, CHANNEL))[-1]
    check("and answered", last["embeds"][0]["title"] == "because of AAPL")
    check("for its asker alone", last["id"] not in [one["id"] for one in await asyncio.to_thread(seen, url, CHANNEL, 7)])
    check("a second first response is refused", await refused(40060, raw(heard)))
    typed = await act(url, "command", user=ANA, path=["sure"])
    await client.heard.get()
    await act(url, "submit", id=typed["id"], fields={"pin": "4711"})
    await act(url, "wait", method="follow_up")
    dm = (await act(url, "join", user=ANA))["dm"]
    check("a form is asked and answered", (await asyncio.to_thread(seen, url, dm))[-1]["content"] == "got 4711")


async def raw(interaction):
    """Answers once more, past the library's own memory."""
    route = discord.http.Route("POST", f"/interactions/{interaction.id}/{interaction.token}/callback")
    await interaction.client.http.request(route, json={"type": 5, "data": {"flags": 64}})


async def gateway(client, url):
    await act(url, "write", user=ANA, text="hello")
    message = await client.heard.get()
    check("words are heard whole", message.content == "hello" and message.author.id == ANA)
    await act(url, "gateway", do="reconnect")
    await act(url, "wait", method="gateway_resume")
    await act(url, "write", user=ANA, text="again")
    check("a session is taken up again", (await client.heard.get()).content == "again")
    identifies = (await act(url, "state"))["identifies"]
    check("without a new one", identifies == 1)


async def main(url):
    discord.utils.setup_logging(level=logging.WARNING)
    discord.http.Route.BASE = f"{url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url.replace("http", "ws") + "/gateway")
    for what, body in [
        ("join", {"user": ANA, "name": "ana"}),
        ("channel", {"channel": CHANNEL, "guild": GUILD}),
        ("settings", {"rates": False}),
    ]:
        await act(url, what, **body)
    client = Client()
    commands(client)
    running = asyncio.create_task(client.start(TOKEN))
    done, _ = await asyncio.wait([running, asyncio.create_task(client.there.wait())], return_when="FIRST_COMPLETED")
    if running in done:
        running.result()
    check("it logs in", client.user.bot and client.application_id is not None)
    for part in (messages, threads, interactions, gateway):
        await part(client, url)
    await client.close()
    print(f"all {passed} checks passed")


asyncio.run(main(sys.argv[1].rstrip("/")))
