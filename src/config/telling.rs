//! What does the page say of who is told what? Kinds as their table has them, and how routes, ladder and hours go together.

use std::fmt::Write as _;

use crate::domain::{KINDS, Treatment};
use crate::notify::has_amount;

const BEGIN: &str = "
## Who is told what

Everything that happens is an event of a kind. Routes lead events to lanes: a lane is a person or a group on one channel, such as
`ana:telegram`. Channels are `telegram`, `terminal`, `email` and `webhook`; a group is on Telegram alone. How a kind is told on a lane is its
person's choice:

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

- From `notice` on, everything goes at once to each person's first lane in the order telegram, terminal, email, webhook, to an owner's
  terminal, and to every group.
- What is critical and has not been acknowledged goes to each owner's and operator's next lane after 2 minutes, to the one after that
  after 5 minutes, and to the first again after 10 minutes. Viewers are told once.

With `[[routes]]` only those hold. An event goes every way whose `kinds`, `min` and `books` cover it; each lane gets it once for each `after`.
What belongs to no book goes every way. A route with an `after` is a step of a ladder: it is gone only if nobody has
acknowledged the event by then. A route that reaches nobody is refused, and so are routes that leave out a kind which gets louder than `info`.

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
