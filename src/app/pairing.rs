//! How does a person get bound to a chat? By a code that the machine shows once, so that nobody hunts for numbers and nobody comes first.

use crate::chat::asked;
use crate::clock::Timestamp;
use crate::domain::format::time;
use crate::store::Store;

use super::AppError;

/// Characters of a code: none that look like another.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// How many of them.
pub(super) const LENGTH: usize = 8;
/// How long a code can be used, in milliseconds.
const VALID_MS: i64 = 10 * 60_000;

/// A new code for a person, kept as a hash; an older one is void.
pub(super) fn issue(store: &Store, person: &str, now: Timestamp) -> Result<(String, Timestamp), AppError> {
    let code = draw()?;
    let expires = now.plus_ms(VALID_MS);
    store.keep_code(person, code_hash(&store.button_key()?, &code), expires)?;
    Ok((format!("{}-{}", &code[..LENGTH / 2], &code[LENGTH / 2..]), expires))
}

/// A code with digits and letters, so that it is known for one wherever it is typed.
fn draw() -> Result<String, AppError> {
    loop {
        let mut chance = [0; LENGTH];
        getrandom::fill(&mut chance).map_err(|error| AppError::failed(format!("no source of chance: {error}")))?;
        // 32 letters divide 256 evenly, so that each is as likely as the others.
        let code: String = chance.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        let has = |kind: fn(&u8) -> bool| code.bytes().any(|byte| kind(&byte));
        if has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
            return Ok(code);
        }
    }
}

/// What is said with a code.
pub(super) fn instructions(person: &str, code: &str, expires: Timestamp, zone: chrono_tz::Tz) -> String {
    format!(
        "Send this to your bot in a private chat on Telegram or Discord, as {person}:\n\n    /pair {code}\n\nIt works once, until {}. Whoever sends it first is {person} from then on, so show it to nobody else",
        time(expires, zone)
    )
}

/// The hash under which a code is kept.
pub(super) fn code_hash(key: &[u8; 32], code: &str) -> String {
    blake3::keyed_hash(key, code.as_bytes()).to_hex().to_string()
}

/// The code in `/pair CODE`, however it is written: on Discord it is `/messages pair CODE`.
pub(super) fn code_in(text: &str) -> Option<String> {
    let asked = asked(text).filter(|asked| asked.command.name == "pair")?;
    let code = asked.args.into_iter().flat_map(str::chars).filter(char::is_ascii_alphanumeric).take(LENGTH + 1);
    Some(code.collect::<String>().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_understood_however_it_is_typed() {
        for text in [
            "/pair K7QX-2M9D",
            "/pair k7qx2m9d",
            "/PAIR@my_bot K7QX 2M9D",
            "/pair  k7qx-2m9d ",
            "/messages pair K7QX-2M9D",
            "/Messages pair code:K7QX 2M9D",
        ] {
            assert_eq!(code_in(text).as_deref(), Some("K7QX2M9D"), "{text}");
        }
        assert_eq!(code_in("/pairs K7QX-2M9D"), None);
        assert_eq!(code_in("K7QX-2M9D"), None);
        assert_eq!(code_in("/help pair K7QX-2M9D"), None);
        assert_eq!(code_in("/pair").as_deref(), Some(""));
    }
}
