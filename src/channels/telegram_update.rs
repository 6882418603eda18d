//! What was heard on Telegram? One update in our own words; what a stranger may choose in it is text and nothing more.

use teloxide::types::{
    CallbackQuery, Chat, ChatMemberUpdated, MaybeInaccessibleMessage, Message, MessageKind, Update, UpdateKind, User,
};

/// One update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its number. Each is higher than the last, but numbers may be left out.
    pub update_id: i64,
    /// What happened.
    pub kind: HeardKind,
    /// Who did it; 0 if nobody is named.
    pub user: i64,
    /// The name and user name they chose: untrusted text.
    pub user_words: String,
    /// Who speaks.
    pub speaker: Speaker,
    /// The chat; 0 if none is named.
    pub chat: i64,
    /// What the chat is.
    pub chat_kind: ChatKind,
    /// The topic in it. A thread of replies in a group without topics is none.
    pub thread: Option<i32>,
    /// The message, or the one whose button was pressed; 0 if none.
    pub message_id: i32,
    /// The message that it answers.
    pub reply_to: Option<i32>,
    /// Its text or caption.
    pub text: String,
    /// What the pressed button carries. A client may send what it likes here.
    pub data: String,
    /// The press, for its answer.
    pub query_id: Option<String>,
    /// When it was sent, in seconds since 1970; none for presses. An edit tells when the message was first sent.
    pub sent: Option<i64>,
    /// Whether somebody else's words are passed on.
    pub forwarded: bool,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeardKind {
    /// Text was written.
    Message,
    /// A message was changed, whatever it holds.
    Edited,
    /// A button was pressed.
    Press,
    /// A file came, perhaps with a caption.
    Document,
    /// A picture came, perhaps with a caption.
    Photo,
    /// The bot was let in or unblocked.
    Joined,
    /// The bot was put out or blocked.
    Left,
    /// A group got another number.
    Migrated {
        /// Its old number.
        from: i64,
        /// Its new number.
        to: i64,
    },
    /// Anything else.
    Other,
}

/// What kind of chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatKind {
    /// With one person.
    Private,
    /// With several, or a channel.
    Group,
}

/// Who speaks. Only a person can be asked who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The person named by `user`.
    Person,
    /// A bot, or a person through an inline bot.
    Bot,
    /// A group or channel: an administrator who hides, or a post of the linked channel. `user` is a stand-in then.
    Anonymous,
}

impl Heard {
    /// Whether it can be a command: somebody's own words or press, said now. Forwarded and edited text never is.
    pub fn may_command(&self) -> bool {
        let said = match self.kind {
            HeardKind::Message | HeardKind::Press | HeardKind::Document | HeardKind::Photo => true,
            HeardKind::Edited | HeardKind::Joined | HeardKind::Left | HeardKind::Migrated { .. } | HeardKind::Other => {
                false
            }
        };
        said && self.is_own()
    }

    /// Whether it is somebody's own words, said now or changed.
    pub fn is_own(&self) -> bool {
        self.speaker == Speaker::Person && self.user != 0 && !self.forwarded
    }
}

/// An update in our own words; none where teloxide cannot say what it holds.
pub(super) fn heard(update: &Update) -> Option<Heard> {
    let heard = match &update.kind {
        UpdateKind::Error(_) => return None,
        UpdateKind::Message(message) | UpdateKind::EditedMessage(message) if is_unread(message) => return None,
        UpdateKind::Message(message) => of_message(message),
        UpdateKind::EditedMessage(message) => Heard { kind: HeardKind::Edited, ..of_message(message) },
        UpdateKind::CallbackQuery(query) => of_press(query),
        UpdateKind::MyChatMember(change) => of_membership(change),
        _ => update.chat().map_or_else(nothing, in_chat),
    };
    Some(Heard { update_id: i64::from(update.id.0), ..heard })
}

/// Whether teloxide gave up on its content: then it would look like a message that says nothing.
fn is_unread(message: &Message) -> bool {
    matches!(message.kind, MessageKind::Empty {})
}

fn nothing() -> Heard {
    Heard {
        update_id: 0,
        kind: HeardKind::Other,
        user: 0,
        user_words: String::new(),
        speaker: Speaker::Anonymous,
        chat: 0,
        chat_kind: ChatKind::Group,
        thread: None,
        message_id: 0,
        reply_to: None,
        text: String::new(),
        data: String::new(),
        query_id: None,
        sent: None,
        forwarded: false,
    }
}

fn in_chat(chat: &Chat) -> Heard {
    let chat_kind = if chat.is_private() { ChatKind::Private } else { ChatKind::Group };
    Heard { chat: chat.id.0, chat_kind, ..nothing() }
}

fn by(user: &User, heard: Heard) -> Heard {
    let user_words = match &user.username {
        Some(name) => format!("{} (@{name})", user.full_name()),
        None => user.full_name(),
    };
    let speaker = if user.is_bot { Speaker::Bot } else { Speaker::Person };
    Heard { user: i64::try_from(user.id.0).unwrap_or_default(), user_words, speaker, ..heard }
}

fn of_message(message: &Message) -> Heard {
    let heard = in_chat(&message.chat);
    let heard = match &message.from {
        Some(user) => by(user, heard),
        None => heard,
    };
    let speaker = if message.sender_chat.is_some() {
        Speaker::Anonymous
    } else if message.via_bot.is_some() {
        Speaker::Bot
    } else {
        heard.speaker
    };
    let thread = message.thread_id.filter(|_| message.is_topic_message).map(|thread| thread.0.0);
    // In a topic, what answers nothing answers the message that opened the topic.
    let reply_to = message.reply_to_message().map(|answered| answered.id.0).filter(|id| Some(*id) != thread);
    Heard {
        kind: kind_of(message),
        speaker,
        thread,
        message_id: message.id.0,
        reply_to,
        text: message.text().or_else(|| message.caption()).unwrap_or_default().to_owned(),
        sent: Some(message.date.timestamp()),
        forwarded: message.forward_origin().is_some() || message.is_automatic_forward(),
        ..heard
    }
}

fn kind_of(message: &Message) -> HeardKind {
    let here = message.chat.id.0;
    if let Some(to) = message.migrate_to_chat_id() {
        HeardKind::Migrated { from: here, to: to.0 }
    } else if let Some(from) = message.migrate_from_chat_id() {
        HeardKind::Migrated { from: from.0, to: here }
    } else if message.document().is_some() {
        HeardKind::Document
    } else if message.photo().is_some() {
        HeardKind::Photo
    } else if message.text().is_some() {
        HeardKind::Message
    } else {
        HeardKind::Other
    }
}

fn of_press(query: &CallbackQuery) -> Heard {
    let heard = query.message.as_ref().map_or_else(nothing, |message| in_chat(message.chat()));
    let regular = query.message.as_ref().and_then(MaybeInaccessibleMessage::regular_message);
    Heard {
        kind: HeardKind::Press,
        thread: regular.and_then(|message| message.thread_id.filter(|_| message.is_topic_message)).map(|id| id.0.0),
        message_id: query.message.as_ref().map_or(0, |message| message.id().0),
        data: query.data.clone().unwrap_or_default(),
        query_id: Some(query.id.0.clone()),
        ..by(&query.from, heard)
    }
}

fn of_membership(change: &ChatMemberUpdated) -> Heard {
    let kind = if change.new_chat_member.is_present() { HeardKind::Joined } else { HeardKind::Left };
    Heard { kind, sent: Some(change.date.timestamp()), ..by(&change.from, in_chat(&change.chat)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ana() -> Value {
        json!({ "id": 7, "is_bot": false, "first_name": "Ana", "last_name": "<b>", "username": "ana_t" })
    }

    fn group() -> Value {
        json!({ "id": -1_001_234_567_890_i64, "type": "supergroup", "title": "Desk", "is_forum": true })
    }

    /// A message of Ana's in the private chat, with more or other parts.
    fn message(more: &Value) -> Value {
        let chat = json!({ "id": 7, "type": "private", "first_name": "Ana" });
        let mut message = json!({ "message_id": 11, "date": 1_790_000_000, "chat": chat, "from": ana() });
        for (name, value) in more.as_object().expect("parts") {
            message[name] = value.clone();
        }
        message
    }

    fn hear(kind: &str, what: Value) -> Heard {
        let mut update = json!({ "update_id": 900 });
        update[kind] = what;
        heard(&serde_json::from_str(&update.to_string()).expect("an update")).expect("understood")
    }

    #[test]
    fn words_in_private_can_be_a_command() {
        let heard = hear("message", message(&json!({ "text": "/status" })));
        let expected = Heard {
            update_id: 900,
            kind: HeardKind::Message,
            user: 7,
            user_words: "Ana <b> (@ana_t)".to_owned(),
            speaker: Speaker::Person,
            chat: 7,
            chat_kind: ChatKind::Private,
            message_id: 11,
            text: "/status".to_owned(),
            sent: Some(1_790_000_000),
            ..nothing()
        };
        assert_eq!(heard, expected);
        assert!(heard.may_command());
    }

    #[test]
    fn what_is_not_said_by_a_person_now_is_no_command() {
        let origin = json!({ "type": "user", "date": 1_780_000_000, "sender_user": ana() });
        let forwarded = hear("message", message(&json!({ "text": "/status", "forward_origin": origin })));
        assert!(forwarded.forwarded && !forwarded.may_command());
        let hidden = json!({ "type": "hidden_user", "date": 1_780_000_000, "sender_user_name": "X" });
        assert!(!hear("message", message(&json!({ "text": "/status", "forward_origin": hidden }))).may_command());
        let admin =
            json!({ "id": 1_087_968_824, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot" });
        let anonymous = json!({ "text": "/status", "chat": group(), "from": admin, "sender_chat": group() });
        let anonymous = hear("message", message(&anonymous));
        assert_eq!((anonymous.speaker, anonymous.may_command()), (Speaker::Anonymous, false));
        let bot = json!({ "id": 8, "is_bot": true, "first_name": "Other", "username": "other_bot" });
        let through = hear("message", message(&json!({ "text": "/status", "via_bot": bot })));
        assert_eq!((through.speaker, through.may_command()), (Speaker::Bot, false));
        let by_bot = hear("message", message(&json!({ "text": "/status", "from": bot })));
        assert_eq!((by_bot.speaker, by_bot.may_command()), (Speaker::Bot, false));
        let edited = hear("edited_message", message(&json!({ "text": "/close", "edit_date": 1_790_000_009 })));
        assert!(edited.kind == HeardKind::Edited && edited.text == "/close" && !edited.may_command());
    }

    #[test]
    fn a_topic_is_told_from_a_thread_and_a_reply_from_its_opening() {
        let opening = json!({ "message_id": 40, "date": 1_780_000_000, "chat": group(), "from": ana(),
            "message_thread_id": 40, "is_topic_message": true,
            "forum_topic_created": { "name": "Orders", "icon_color": 7_322_096 } });
        let in_topic = json!({ "text": "hello", "chat": group(), "message_thread_id": 40, "is_topic_message": true,
            "reply_to_message": opening });
        let heard = hear("message", message(&in_topic));
        assert_eq!((heard.thread, heard.reply_to, heard.chat_kind), (Some(40), None, ChatKind::Group));
        let answered = json!({ "message_id": 41, "date": 1_780_000_000, "chat": group(), "text": "first" });
        let in_thread =
            json!({ "text": "hello", "chat": group(), "message_thread_id": 41, "reply_to_message": answered });
        let heard = hear("message", message(&in_thread));
        assert_eq!((heard.thread, heard.reply_to), (None, Some(41)));
    }

    #[test]
    fn a_press_carries_its_data_and_where_it_was() {
        let below = json!({ "message_id": 77, "date": 1_780_000_000, "chat": group(), "text": "Sell?",
            "message_thread_id": 40, "is_topic_message": true });
        let press = |below: Option<Value>| {
            let mut press = json!({ "id": "555", "from": ana(), "chat_instance": "1", "data": "t0ken" });
            if let Some(below) = below {
                press["message"] = below;
            }
            hear("callback_query", press)
        };
        let heard = press(Some(below));
        assert_eq!((heard.kind, heard.user, heard.message_id), (HeardKind::Press, 7, 77));
        assert_eq!((heard.data.as_str(), heard.query_id.as_deref(), heard.sent), ("t0ken", Some("555"), None));
        assert_eq!((heard.thread, heard.chat, heard.may_command()), (Some(40), -1_001_234_567_890, true));
        let old = press(Some(json!({ "message_id": 3, "date": 0, "chat": group() })));
        assert_eq!((old.message_id, old.chat), (3, -1_001_234_567_890));
        assert_eq!((press(None).message_id, press(None).chat), (0, 0));
    }

    #[test]
    fn files_pictures_and_what_else_there_is() {
        let file = json!({ "file_id": "a", "file_unique_id": "b", "file_size": 3, "file_name": "x.csv" });
        let heard = hear("message", message(&json!({ "document": file, "caption": "/import" })));
        assert_eq!((heard.kind, heard.text.as_str()), (HeardKind::Document, "/import"));
        let size = json!([{ "file_id": "a", "file_unique_id": "b", "file_size": 3, "width": 1, "height": 1 }]);
        assert_eq!(hear("message", message(&json!({ "photo": size }))).kind, HeardKind::Photo);
        let place = json!({ "longitude": 1.0, "latitude": 2.0 });
        assert_eq!(hear("message", message(&json!({ "location": place }))).kind, HeardKind::Other);
        let poll = json!({ "poll_id": "1", "option_ids": [0], "user": ana() });
        assert_eq!(hear("poll_answer", poll).kind, HeardKind::Other);
    }

    #[test]
    fn a_group_that_moves_says_so_twice() {
        let (from, to) = (-55, -1_001_234_567_890_i64);
        let old = json!({ "id": from, "type": "group", "title": "Desk" });
        let leaving = hear("message", message(&json!({ "chat": old, "migrate_to_chat_id": to })));
        let arriving = hear("message", message(&json!({ "chat": group(), "migrate_from_chat_id": from })));
        assert_eq!((leaving.kind, arriving.kind), (HeardKind::Migrated { from, to }, HeardKind::Migrated { from, to }));
        assert!(!leaving.may_command());
    }

    #[test]
    fn the_bot_is_let_in_and_put_out() {
        let me = json!({ "id": 99, "is_bot": true, "first_name": "Bell", "username": "bell_bot" });
        let change = |status: &str| {
            let chat = json!({ "id": 7, "type": "private", "first_name": "Ana" });
            let now = if status == "kicked" {
                json!({ "user": me, "status": status, "until_date": 0 })
            } else {
                json!({ "user": me, "status": status })
            };
            let before = json!({ "user": me, "status": "left" });
            let change = json!({ "chat": chat, "from": ana(), "date": 1_790_000_000, "old_chat_member": before,
                "new_chat_member": now });
            hear("my_chat_member", change)
        };
        assert_eq!((change("kicked").kind, change("kicked").user), (HeardKind::Left, 7));
        assert_eq!((change("left").kind, change("member").kind), (HeardKind::Left, HeardKind::Joined));
        assert!(!change("member").may_command());
    }
}
