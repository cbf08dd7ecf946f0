//! Names that are shown to the recipient in place of a number.

use std::fmt;
use std::str::FromStr;

/// An alphanumeric sender: 3 to 11 letters or digits of ASCII, at least one of them a letter. Eleven characters are what
/// the address field of a text holds (3GPP TS 23.040, section 9.1.2.5); that there are three at least, and no spaces or
/// symbols, is a rule of French carriers. It is shown as it is written, and compared without regard to case.
#[derive(Clone, Copy)]
pub struct SenderId {
    length: u8,
    text: [u8; 11],
}

/// A text that is no sender id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sender id has 3 to 11 letters or digits, at least one letter")]
pub struct SenderIdError;

impl SenderId {
    /// Reads a sender id.
    ///
    /// # Errors
    /// [`SenderIdError`].
    pub fn parse(name: &str) -> Result<Self, SenderIdError> {
        let bytes = name.as_bytes();
        let shaped = (3..=11).contains(&bytes.len())
            && bytes.iter().all(u8::is_ascii_alphanumeric)
            && bytes.iter().any(u8::is_ascii_alphabetic);
        if !shaped {
            return Err(SenderIdError);
        }
        let mut text = [0; 11];
        text[..bytes.len()].copy_from_slice(bytes);
        let length = u8::try_from(bytes.len()).map_err(|_| SenderIdError)?;
        Ok(Self { length, text })
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl PartialEq for SenderId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for SenderId {}

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SenderId {
    type Err = SenderIdError;

    fn from_str(name: &str) -> Result<Self, SenderIdError> {
        Self::parse(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_with_a_letter() {
        for name in [
            "Abc",
            "MyCompany",
            "ABCDEFGHIJK",
            "24h",
            "a1234567890",
            "1234567890z",
        ] {
            assert_eq!(SenderId::parse(name).unwrap().as_str(), name);
        }
        for name in [
            "",
            "ab",
            "ABCDEFGHIJKL",
            "123",
            "12345678901",
            "My Shop",
            "My-Shop",
            "Café",
            "éàç",
            "abc\0",
            "+33612345678",
            "Ａｂｃ",
        ] {
            assert_eq!(SenderId::parse(name), Err(SenderIdError), "{name:?}");
        }
        assert_eq!(SenderId::parse("MyShop"), SenderId::parse("MYSHOP"));
        assert_ne!(SenderId::parse("MyShop"), SenderId::parse("MyShop2"));
    }
}
