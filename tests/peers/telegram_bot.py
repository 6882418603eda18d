"""Does a client that nobody here wrote get along with the fake Telegram?

    fake_telegram &   # prints: listening on http://127.0.0.1:PORT
    python3 tests/peers/telegram_bot.py http://127.0.0.1:PORT

Needs python-telegram-bot 22.8. Prints one line a check, and fails with the first that is wrong.
"""

import asyncio
import json
import struct
import sys
import urllib.request
import zlib

from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, ReplyParameters
from telegram.constants import ChatType, MessageEntityType, ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter

TOKEN = "123456:TEST-token-of-the-fake"
OWNER = 501
passed = 0


def check(name, holds):
    global passed
    if not holds:
        sys.exit(f"FAILED: {name}")
    passed += 1
    print(f"ok: {name}")


def control(url, what, **body):
    request = urllib.request.Request(f"{url}/control/{what}", json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def seen(url, chat):
    with urllib.request.urlopen(f"{url}/control/chat/{chat}") as answer:
        return json.load(answer)["messages"]


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


async def refused(kind, text, call):
    try:
        await call
    except kind as error:
        return text.lower() in str(error).lower()
    return False


async def identity(bot, url):
    me = await bot.get_me()
    check("getMe says who the bot is", me.is_bot and me.id == 123456 and me.username)
    stranger = Bot("1:wrong", base_url=f"{url}/bot")
    check("a wrong token is refused", await refused(InvalidToken, "", stranger.get_me()))
    check("nobody is written to first", await refused(BadRequest, "chat not found", bot.send_message(OWNER, "hello")))
    control(url, "join", **{"from": {"id": OWNER, "first_name": "Ada", "username": "ada_owner"}})
    chat = await bot.get_chat(OWNER)
    check("getChat is a whole ChatFullInfo", chat.type == ChatType.PRIVATE and chat.first_name == "Ada")
    member = await bot.get_chat_member(OWNER, OWNER)
    check("getChatMember is read", member.status == "member" and member.user.id == OWNER)
    commands = [BotCommand("status", "How it stands"), BotCommand("halt", "Stop trading")]
    await bot.set_my_commands(commands)
    check("commands come back", await bot.get_my_commands() == tuple(commands))
    bad = bot.set_my_commands([BotCommand("Status", "Upper case")])
    check("a command in capitals is refused", await refused(BadRequest, "BOT_COMMAND_INVALID", bad))


async def texts(bot, url):
    html = '<b>BTC &lt;up&gt;</b> <i>1 <u>2</u></i> <code>@nobody_here</code> <a href="https://example.com/a">link</a>'
    message = await bot.send_message(OWNER, html, parse_mode=ParseMode.HTML)
    check("HTML becomes visible text", message.text == "BTC <up> 1 2 @nobody_here link")
    kinds = [entity.type for entity in message.entities]
    wanted = ["bold", "italic", "underline", "code", "text_link"]
    check("HTML becomes entities, and no mention inside code", kinds == wanted)
    check("an entity covers its text", message.parse_entity(message.entities[0]) == "BTC <up>")
    marked = await bot.send_message(OWNER, r"*bold* _italic_ 1\.5 `code.`", parse_mode=ParseMode.MARKDOWN_V2)
    check("MarkdownV2 becomes visible text", marked.text == "bold italic 1.5 code.")
    check("MarkdownV2 becomes entities", [entity.type for entity in marked.entities] == ["bold", "italic", "code"])
    plain = bot.send_message(OWNER, "1.5 is reserved", parse_mode=ParseMode.MARKDOWN_V2)
    check("an unescaped dot is refused", await refused(BadRequest, "is reserved and must be escaped", plain))
    found = await bot.send_message(OWNER, "ask @some_body or see example.com #tag $BTC /halt")
    wanted = {MessageEntityType.MENTION, MessageEntityType.URL, MessageEntityType.HASHTAG}
    check("plain text mentions and links by itself", wanted <= {entity.type for entity in found.entities})
    control(url, "advance", ms=60_000)
    for text in ("<b>open", "<i><b>x</i></b>", "<table>x</table>", "a < b", "</b>"):
        broken = bot.send_message(OWNER, text, parse_mode=ParseMode.HTML)
        check(f"bad HTML is refused: {text}", await refused(BadRequest, "can't parse entities", broken))
    check("4097 are too many", await refused(BadRequest, "message is too long", bot.send_message(OWNER, "x" * 4097)))
    emoji = bot.send_message(OWNER, "\U0001f600" * 2049)
    check("2049 emoji are too many", await refused(BadRequest, "message is too long", emoji))
    check("4096 fit", len((await bot.send_message(OWNER, "x" * 4096)).text) == 4096)
    check("no text is refused", await refused(BadRequest, "text is empty", bot.send_message(OWNER, " \n ")))
    answer = await bot.send_message(OWNER, "a reply", reply_parameters=ReplyParameters(message.message_id))
    check("a reply carries what it answers", answer.reply_to_message.message_id == message.message_id)
    lost = bot.send_message(OWNER, "a reply", reply_parameters=ReplyParameters(99_999))
    check("a reply to nothing is refused", await refused(BadRequest, "message to be replied not found", lost))


async def buttons(bot, url):
    row = [InlineKeyboardButton("Yes", callback_data="yes"), InlineKeyboardButton("No", callback_data="no")]
    keyboard = InlineKeyboardMarkup([row])
    message = await bot.send_message(OWNER, "Sell?", reply_markup=keyboard)
    check("a keyboard comes back", message.reply_markup == keyboard)
    long = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="é" * 33)]])
    call = bot.send_message(OWNER, "x", reply_markup=long)
    check("66 bytes of data are refused", await refused(BadRequest, "BUTTON_DATA_INVALID", call))
    edited = await bot.edit_message_text("Sold", OWNER, message.message_id)
    bare = edited.reply_markup is None and edited.edit_date
    check("an edit changes text and takes the keyboard", edited.text == "Sold" and bare)
    again = bot.edit_message_text("Sold", OWNER, message.message_id)
    check("the same again is refused", await refused(BadRequest, "message is not modified", again))
    missing = bot.edit_message_text("Sold", OWNER, 99_999)
    check("an edit of nothing is refused", await refused(BadRequest, "message to edit not found", missing))
    edited = await bot.edit_message_reply_markup(OWNER, message.message_id, reply_markup=keyboard)
    check("a keyboard is put back", edited.reply_markup == keyboard)
    control(url, "press", **{"from": OWNER, "message_id": message.message_id, "text": "Yes"})


async def updates(bot, url):
    batch = await bot.get_updates(timeout=0)
    check("the start and the press are there", [bool(one.message) for one in batch] == [True, False])
    again = await bot.get_updates()
    check("an unconfirmed update comes again", [one.update_id for one in again] == [one.update_id for one in batch])
    query = batch[-1].callback_query
    check("a press says what and who", (query.data, query.from_user.id, query.message.text) == ("yes", OWNER, "Sold"))
    check("a press is answered", await bot.answer_callback_query(query.id, "Working"))
    check("but once", await refused(BadRequest, "query is too old", bot.answer_callback_query(query.id)))
    control(url, "message", **{"from": OWNER, "text": "/status now"})
    batch = await bot.get_updates(offset=batch[-1].update_id + 1, timeout=5)
    check("a higher offset confirms", len(batch) == 1 and batch[0].message.text == "/status now")
    check("a command is recognised", batch[0].message.entities[0].type == "bot_command")
    check("everything confirmed, nothing left", await bot.get_updates(offset=batch[0].update_id + 1) == ())
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.to_thread(control, url, "wait", method="getUpdates", outcome="pending")
    await Bot(TOKEN, base_url=f"{url}/bot").get_updates(timeout=0)
    check("a second poll ends the first", await refused(Conflict, "terminated by other getUpdates", first))


async def pictures(bot, url):
    control(url, "advance", ms=60_000)
    message = await bot.send_photo(OWNER, png(600, 300), caption="<b>Equity</b>", parse_mode=ParseMode.HTML)
    check("a photo has sizes and a caption", message.photo[-1].width == 600 and message.caption == "Equity")
    text = bot.send_photo(OWNER, b"text")
    check("a thing that is no picture is refused", await refused(BadRequest, "IMAGE_PROCESS_FAILED", text))
    strip = bot.send_photo(OWNER, png(2100, 100))
    check("a strip is refused", await refused(BadRequest, "PHOTO_INVALID_DIMENSIONS", strip))
    sent = await bot.send_document(OWNER, b"a,b\n1,2\n", filename="trades.csv", caption="Trades")
    check("a document keeps its name", sent.document.file_name == "trades.csv" and sent.document.file_size == 8)
    content = await (await bot.get_file(sent.document.file_id)).download_as_bytearray()
    check("a document is downloaded as it was", bytes(content) == b"a,b\n1,2\n")
    album = await bot.send_media_group(OWNER, [InputMediaPhoto(png(20, 20)), InputMediaPhoto(png(30, 30))])
    check("an album is one group", len(album) == 2 and album[0].media_group_id == album[1].media_group_id)
    control(url, "advance", ms=60_000)
    edited = await bot.edit_message_caption(OWNER, message.message_id, caption="New")
    check("a caption is edited", edited.caption == "New")
    check("a deletion", await bot.delete_message(OWNER, sent.message_id))
    check("is seen", sent.message_id not in [one["message_id"] for one in seen(url, OWNER)])
    again = bot.delete_message(OWNER, sent.message_id)
    check("and is final", await refused(BadRequest, "message to delete not found", again))


async def refusals(bot, url):
    control(url, "settings", clock="stopped")
    control(url, "advance", ms=60_000)
    for number in range(5):
        await bot.send_message(OWNER, f"burst {number}")
    try:
        await bot.send_message(OWNER, "one too many")
        check("a burst ends with RetryAfter", False)
    except RetryAfter as error:
        check("a burst ends with RetryAfter", error.retry_after == 1)
    control(url, "advance", ms=1_000)
    check("and is over when it says", (await bot.send_message(OWNER, "later")).message_id)
    control(url, "settings", clock="running", flood=False)
    control(url, "join", **{"from": OWNER, "action": "block"})
    check("a block is Forbidden", await refused(Forbidden, "bot was blocked by the user", bot.send_message(OWNER, "x")))
    control(url, "group", chat=-77, title="Desk")
    check("a group is written to", (await bot.send_message(-77, "hello")).chat.title == "Desk")
    control(url, "migrate", chat=-77, to=-1000000000077)
    try:
        await bot.send_message(-77, "hello")
        check("an upgraded group says where to", False)
    except ChatMigrated as error:
        check("an upgraded group says where to", error.new_chat_id == -1000000000077)
    control(url, "group", chat=-1000000000088, title="Forum", forum=True, topics=["Trades"], admin=True)
    topic = await bot.create_forum_topic(-1000000000088, "Alerts")
    message = await bot.send_message(-1000000000088, "in a topic", message_thread_id=topic.message_thread_id)
    check("a topic takes messages", message.message_thread_id == topic.message_thread_id)
    lost = bot.send_message(-1000000000088, "x", message_thread_id=4242)
    check("no such topic", await refused(BadRequest, "message thread not found", lost))
    check("a webhook is told", (await bot.get_webhook_info()).url == "")
    await bot.set_webhook("https://example.com/hook")
    check("and ends polling", await refused(Conflict, "webhook is active", bot.get_updates()))
    await bot.delete_webhook()
    batch = await bot.get_updates(timeout=0)
    check("a block is an update", any(one.my_chat_member for one in batch))


async def main(url):
    bot = Bot(TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot")
    for part in (identity, texts, buttons, updates, pictures, refusals):
        await part(bot, url)
    print(f"all {passed} checks passed")


asyncio.run(main(sys.argv[1].rstrip("/")))
