//! How is a phone's number kept? Whole inside, and printed with its first and last two digits alone.

use std::fmt;
use std::str::FromStr;

/// A number as E.164 writes it: a plus sign and 8 to 15 digits, the first of them not 0.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The whole number, for the service that reaches it alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let written: String = text.chars().filter(|letter| !" -.()".contains(*letter)).collect();
        let digits = written.strip_prefix('+').unwrap_or_default();
        let known = (8..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if known { Ok(Self(written)) } else { Err("write it like +351912345678".to_owned()) }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (&self.0[..3], &self.0[self.0.len() - 2..]);
        f.pad(&format!("{first}...{last}"))
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_many_spellings_and_printed_in_part() {
        for written in ["+351912345678", "+351 912 345 678", "+351 (912) 345-678"] {
            let phone: Phone = written.parse().expect("a phone");
            assert_eq!(phone.expose(), "+351912345678");
            assert_eq!(format!("{phone} {phone:?}"), "+35...78 +35...78");
        }
        for bad in
            ["", "+", "912345678", "+0351912345678", "+1234567", "+1234567890123456", "+35191234567x", "00351912345678"]
        {
            let error = bad.parse::<Phone>().expect_err(bad);
            assert!(!error.contains("91234567x"), "{error}");
        }
    }
}
