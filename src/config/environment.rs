//! Which environment variables are read? Each declared once; read here and nowhere else.

use std::path::PathBuf;

/// A variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds if it is not set.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// Every variable, in the order of the docs.
pub const ENVIRONMENT: &[Variable] = &[
    Variable {
        name: "BELLWETHER_CONFIG",
        default: "bellwether.toml, if there is one",
        help: "The configuration file.",
    },
    Variable {
        name: "BELLWETHER_DB",
        default: "bellwether.db in the working directory",
        help: "The database; backups are kept in a folder `backups` beside it.",
    },
    Variable {
        name: "BELLWETHER_LOG",
        default: "warn",
        help: "How much is logged to standard error: error, warn, info, debug or trace; append `,json` for JSON lines.",
    },
];

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The configuration file, if one was named.
    pub config: Option<PathBuf>,
    /// The database.
    pub database: PathBuf,
    /// The log's level.
    pub log: String,
}

impl Environment {
    /// Reads `.env` from the working directory, if there is one, and then the environment, which wins.
    ///
    /// # Errors
    /// When `.env` cannot be read as one; in words without its contents.
    pub fn read() -> Result<Self, String> {
        let kept: Vec<(String, String)> = match dotenvy::from_filename_iter(".env") {
            Err(error) if error.not_found() => Vec::new(),
            Err(_) => return Err("the file .env cannot be read".to_owned()),
            Ok(lines) => {
                let lines: Result<Vec<_>, _> = lines.collect();
                lines.map_err(|_| "the file .env has a line that is not NAME=value".to_owned())?
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
        let value = |name: &str| {
            let own = std::env::var(name).ok();
            own.or_else(|| kept.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
                .filter(|value| !value.is_empty())
        };
        Ok(Self {
            config: value("BELLWETHER_CONFIG").map(PathBuf::from),
            database: value("BELLWETHER_DB").map_or_else(|| PathBuf::from("bellwether.db"), PathBuf::from),
            log: value("BELLWETHER_LOG").unwrap_or_else(|| "warn".to_owned()),
        })
    }
}
