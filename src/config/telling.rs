//! What does the page say of who is told what? Kinds as their table has them, and how routes, ladder and hours go together.

use std::fmt::Write as _;

use crate::domain::{KINDS, Treatment};
use crate::notify::has_amount;

const BEGIN: &str = "
## Who is told what

Everything that happens is an event of a kind. Routes lead events to lanes: a lane is a person or a group on one channel, such as
`ana:telegram`. Channels are `telegram`, `discord`, `terminal`, `sms`, `email`, `ntfy` and `webhook`; a group is on Telegram or on Discord. How a
kind is told on a lane is its person's choice:

| treatment | what it does |
|---|---|
| `on` | told at once |
| `silent` | told at once, without a sound |
| `digest` | kept for the digest, once a day |
| `off` | not told; it stays in the journal |

`tell` sets the treatment of single kinds. Who sets a kind to `on` or `silent` gets it however quiet it is, by every route that covers
it. A kind that cannot wait is always on: neither `tell` nor a mute holds back what can ruin somebody.

### Routes

Without `[[routes]]` the usual ones hold:

- From `notice` on, everything goes at once to each person's first lane in the order telegram, discord, terminal, email, ntfy, webhook, to an
  owner's terminal, and to every group. A short message costs money, so `sms` is the first lane only of who has no other.
- What is critical and has not been acknowledged goes to each owner's and operator's next lane after 2 minutes, to the one after that
  after 5 minutes, and after 10 minutes to all that are left, and to the first again. In this order `sms` stands before email. Viewers are told once.

With `[[routes]]` only those hold. An event goes every way whose `kinds`, `min` and `books` cover it; each lane gets it once for each `after`.
What belongs to no book goes every way. A route with an `after` is a step of a ladder: it is gone only if nobody has
acknowledged the event by then. Whatever routes say, every owner with a phone is told by SMS at once that the daily loss limit is near or hit and that
trading stops (`daily_loss_near`, `trading_reduced`, `trading_halted`). A route without destinations is refused, and so are routes that leave out a kind which gets louder than `info`.

A destination may not be set up yet, such as `ana:discord` without DISCORD_BOT_TOKEN or before she is paired, so that one file holds while ways are
added. Nothing goes there. Each start says so as a warning, with what to do, and so does `bellwether test all`, which fails if a whole route reaches nobody.

### Who has seen it

One word, a button or `/ack N42`, on any channel ends the ladder of a critical message everywhere. The messages on Telegram and Discord then say who
has seen it and when. Where a message cannot be changed, on a terminal, by SMS, mail, ntfy or webhook, whoever was told there gets one short
message that makes no sound: by mail in the same thread, and no SMS on the phone of whoever acknowledged, since each costs money. Whoever was not
told hears nothing of it.

### Hours

In quiet hours only what is critical is told; the rest comes when they end. A digest comes at `digest`, 08:00 unless it is said. Both are in
the person's zone, whatever its clocks do in spring and autumn. `above` sends what is about a smaller amount with the digest. ";

const EXAMPLE: &str = "
### An example

```toml
[[people]]
name = \"ana\"
role = \"owner\"
zone = \"Europe/Lisbon\"
telegram = { user = 123456789 }
email = \"ana@example.org\"
quiet = { from = \"22:00\", to = \"07:00\" }
digest = \"08:00\"
tell = { stop_moved = \"silent\", day_closed = \"digest\", config_changed = \"off\" }
above = { position_closed = 500 }
numbers = \"1.234,56\"
dates = \"21.11.2026\"

[[people]]
name = \"bo\"
role = \"viewer\"
books = [\"main\"]
email = \"bo@example.org\"

[[groups]]
name = \"family\"
telegram = -1001234567890
topics = { main = 12 }
amounts = \"shares\"

[[routes]]
to = [\"ana:telegram\", \"ana:terminal\", \"family:telegram\"]

[[routes]]
kinds = [\"day_closed\", \"trading_*\"]
to = [\"bo:email\"]

[[routes]]
min = \"critical\"
to = [\"ana:email\"]
after = \"2m\"
```
";

/// The section.
pub(super) fn section() -> String {
    let amounts: Vec<String> =
        KINDS.iter().filter(|kind| has_amount(kind.name)).map(|kind| format!("`{}`", kind.name)).collect();
    let mut text = format!("{BEGIN}It works for\n{}.\n", amounts.join(", "));
    text.push_str("\n### Kinds\n\n| kind | tells that | loudest | usual | can wait |\n|---|---|---|---|---|\n");
    for kind in KINDS {
        let (name, about, loudest) = (kind.name, kind.about, kind.loudest.as_str());
        let usual: Treatment = kind.usual;
        let waits = if kind.can_wait { "yes" } else { "no" };
        let _ = writeln!(text, "| `{name}` | {about} | {loudest} | {usual} | {waits} |");
    }
    text.push_str(EXAMPLE);
    text
}
