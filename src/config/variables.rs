//! Which environment variables are there? Each declared once, in the order of the docs.

/// A variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds if it is not set.
    pub default: &'static str,
    /// A value that it could have.
    pub example: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// Every variable, in the order of the docs.
pub const ENVIRONMENT: &[Variable] = &[
    Variable {
        name: "BELLWETHER_CONFIG",
        default: "bellwether.toml, if there is one",
        example: "bellwether.toml",
        help: "The configuration file.",
    },
    Variable {
        name: "BELLWETHER_DB",
        default: "bellwether.db in the working directory",
        example: "bellwether.db",
        help: "The database; backups are kept in a folder `backups` beside it.",
    },
    Variable {
        name: "BELLWETHER_LOG",
        default: "warn",
        example: "warn",
        help: "How much is logged to standard error: error, warn, info, debug or trace; append `,json` for JSON lines, which it also is where standard error is no terminal.",
    },
    Variable {
        name: "TELEGRAM_BOT_TOKEN",
        default: "none: no Telegram",
        example: "123456789:token-from-BotFather",
        help: "The token of your bot, from @BotFather. Secret.",
    },
    Variable {
        name: "TELEGRAM_API_URL",
        default: "https://api.telegram.org",
        example: "http://127.0.0.1:8081",
        help: "Another server of the Bot API.",
    },
    Variable {
        name: "DISCORD_BOT_TOKEN",
        default: "none: no Discord",
        example: "token-from-the-developer-portal",
        help: "The token of your bot on Discord, see docs/DISCORD.md. Secret.",
    },
    Variable {
        name: "DISCORD_API_URL",
        default: "https://discord.com",
        example: "http://127.0.0.1:8083",
        help: "Another server of Discord's API; it names the gateway too.",
    },
    Variable {
        name: "DISCORD_GUILD_ID",
        default: "none: commands hold everywhere",
        example: "123456789012345678",
        help: "The server that commands are registered in; there a change of them holds at once.",
    },
    Variable {
        name: "SMTP_URL",
        default: "none: letters are files; needs EMAIL_FROM",
        example: "smtps://user:password@mail.example.org",
        help: "The server that takes mail, see docs/EMAIL.md: smtps:// for TLS at once, smtp:// for STARTTLS, smtp://...?tls=none on this machine. \
               Secret: only its host is shown.",
    },
    Variable {
        name: "DKIM_KEY_FILE",
        default: "none: letters are not signed",
        example: "dkim.pem",
        help: "A private key (RSA or Ed25519, PEM) that letters are signed with, under the selector `bellwether` of the domain in EMAIL_FROM.",
    },
    Variable {
        name: "TWILIO_ACCOUNT_SID",
        default: "none: no SMS",
        example: "AC00000000000000000000000000000000",
        help: "Your account at Twilio, see docs/SMS.md.",
    },
    Variable {
        name: "TWILIO_AUTH_TOKEN",
        default: "none; needed with TWILIO_ACCOUNT_SID",
        example: "token-from-the-console",
        help: "Its primary token: it also proves that what comes back is Twilio's. Secret.",
    },
    Variable {
        name: "TWILIO_FROM",
        default: "none; needed with TWILIO_ACCOUNT_SID",
        example: "+15005550006",
        help: "The number, or the messaging service (MG...), that short messages come from.",
    },
    Variable {
        name: "TWILIO_API_URL",
        default: "https://api.twilio.com",
        example: "http://127.0.0.1:8084",
        help: "Another server of Twilio's API.",
    },
    Variable {
        name: "NTFY_URL",
        default: "none: no ntfy",
        example: "https://ntfy.example.org/a-long-random-topic",
        help: "The topic that push messages go to, see docs/NTFY.md. Secret: only its host is shown.",
    },
    Variable {
        name: "WEBHOOK_URL",
        default: "none: no webhook",
        example: "https://example.org/hook",
        help: "Where messages are sent as signed JSON, see docs/WEBHOOK.md. Secret: only its host is shown.",
    },
    Variable {
        name: "WEBHOOK_SECRET",
        default: "none; needed with WEBHOOK_URL",
        example: "a-long-random-word",
        help: "What they are signed with. Secret.",
    },
    Variable {
        name: "HTTP_LISTEN",
        default: "none: no port is opened",
        example: "127.0.0.1:8080",
        help: "Address and port for /health and /metrics.",
    },
    Variable {
        name: "HTTP_TOKEN",
        default: "none; needed where others than this machine reach HTTP_LISTEN",
        example: "a-long-random-word",
        help: "What a reader must send as `Authorization: Bearer`. Secret.",
    },
    Variable {
        name: "PUBLIC_URL",
        default: "none: nobody reaches HTTP_LISTEN from outside",
        example: "https://bot.example.org",
        help: "How HTTP_LISTEN is reached from the internet: what Twilio calls back, and where a digest by mail is left off.",
    },
    Variable {
        name: "HEARTBEAT_URL",
        default: "none",
        example: "https://example.org/ping",
        help: "What is asked while all is well, so that somebody else notices silence. Secret: only its host is shown.",
    },
    Variable {
        name: "CA_FILE",
        default: "none: the usual authorities of the web",
        example: "ca.pem",
        help: "Certificates of authorities that are trusted too, as PEM.",
    },
    Variable {
        name: "EMAIL_FROM",
        default: "bellwether@localhost; needed with SMTP_URL",
        example: "Bellwether <bot@example.org>",
        help: "Who mail is from: an address that the server of SMTP_URL lets you send from.",
    },
];

/// Who mail is from unless it is said.
pub(super) const SENDER: &str = "bellwether@localhost";
