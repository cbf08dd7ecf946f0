//! Cursors: where a page ended, opaque to clients.
//!
//! A cursor remembers what it was a cursor of (a fingerprint of filters and order), so that one that is used with
//! another request is refused instead of giving a page of nonsense. The team is part of it: the cursor of another team is
//! answered like a text that is none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trunkline_domain::{ErrorCode, Millis};
use trunkline_store::crm::{Place, SortKey};
use trunkline_store::crypto;

use crate::http::error::ApiError;

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Behind the entry with this time and number.
    Behind(Millis, i64),
    /// So many hits down a ranking of the items numbered up to the second figure.
    Ranked(i64, i64),
}

impl Cursor {
    /// The text for clients. `of` is what the cursor belongs to.
    #[must_use]
    pub fn write(self, of: &str) -> String {
        let (kind, a, b) = match self {
            Self::Behind(at, seq) => ('b', at.0, seq),
            Self::Ranked(offset, max_seq) => ('r', offset, max_seq),
        };
        URL_SAFE_NO_PAD.encode(format!("{kind}.{a}.{b}.{}", print(of)))
    }

    /// Reads what a client sent back.
    ///
    /// # Errors
    /// `INVALID_CURSOR` when it is none, or one of another request.
    pub fn read(text: &str, of: &str) -> Result<Self, ApiError> {
        let plain = decode(text).ok_or_else(refused)?;
        let parts: Vec<&str> = plain.split('.').collect();
        let [kind, a, b, belongs] = parts[..] else {
            return Err(refused());
        };
        let number = |text: &str| text.parse::<i64>().map_err(|_| refused());
        let (a, b) = (number(a)?, number(b)?);
        match kind {
            _ if belongs != print(of) => Err(refused()),
            "b" => Ok(Self::Behind(Millis(a), b)),
            "r" if (0..=100_000_000).contains(&a) => Ok(Self::Ranked(a, b)),
            _ => Err(refused()),
        }
    }
}

/// The cursor behind an entry of a list of the CRM.
#[must_use]
pub fn write_place(key: &SortKey, id: &str, of: &str) -> String {
    let (kind, key) = match key {
        SortKey::Time(at) => ('t', at.to_string()),
        SortKey::Name(name) => ('n', name.clone()),
    };
    URL_SAFE_NO_PAD.encode(format!("{kind}.{key}.{id}.{}", print(of)))
}

/// Reads a cursor of a list of the CRM.
///
/// # Errors
/// `INVALID_CURSOR` when it is none, or one of another request.
pub fn read_place(text: &str, of: &str) -> Result<Place, ApiError> {
    let plain = decode(text)
        .filter(|plain| !plain.contains('\0'))
        .ok_or_else(refused)?;
    let mut ends = plain.rsplitn(3, '.');
    let (Some(belongs), Some(id), Some(rest)) = (ends.next(), ends.next(), ends.next()) else {
        return Err(refused());
    };
    if belongs != print(of) {
        return Err(refused());
    }
    let key = match rest.split_once('.').ok_or_else(refused)? {
        ("t", at) => SortKey::Time(at.parse().map_err(|_| refused())?),
        ("n", name) => SortKey::Name(name.to_owned()),
        _ => return Err(refused()),
    };
    Ok(Place::Behind(key, id.to_owned()))
}

/// How far an export has come: behind an item, among those that there were when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exported {
    /// When the item was.
    pub(super) at: Millis,
    /// Its number.
    pub(super) seq: i64,
    /// The number of the last item that there was.
    pub(super) last: i64,
}

impl Exported {
    /// The text for clients. `of` is what the cursor belongs to.
    pub(super) fn write(self, of: &str) -> String {
        let Self { at, seq, last } = self;
        URL_SAFE_NO_PAD.encode(format!("e.{}.{seq}.{last}.{}", at.0, print(of)))
    }

    /// Reads what a client sent back.
    ///
    /// # Errors
    /// `INVALID_CURSOR` when it is none, or one of another export.
    pub(super) fn read(text: &str, of: &str) -> Result<Self, ApiError> {
        let fault = || {
            refused().suggestion(
                "Send the cursor of the last whole line you have, with the same from, to, type and allo_number; or \
                 start again without a cursor.",
            )
        };
        let plain = decode(text).ok_or_else(fault)?;
        let parts: Vec<&str> = plain.split('.').collect();
        let ["e", at, seq, last, belongs] = parts[..] else {
            return Err(fault());
        };
        let number = |text: &str| text.parse::<i64>().map_err(|_| fault());
        if belongs != print(of) {
            return Err(fault());
        }
        Ok(Self {
            at: Millis(number(at)?),
            seq: number(seq)?,
            last: number(last)?,
        })
    }
}

/// The answer to every text that is no cursor of the request: which of them another request was given, another team's
/// say, is not told.
pub(super) fn refused() -> ApiError {
    ApiError::new(ErrorCode::InvalidCursor).param("cursor")
}

fn decode(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    String::from_utf8(bytes).ok()
}

fn print(of: &str) -> String {
    crypto::sha256_hex(of.as_bytes())[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_fits_its_own_list_only() {
        for key in [
            SortKey::Time(-5),
            SortKey::Name("j. r. ewing".to_owned()),
            SortKey::Name(String::new()),
        ] {
            let text = write_place(&key, "cnt-1", "one");
            assert_eq!(
                read_place(&text, "one").unwrap(),
                Place::Behind(key, "cnt-1".to_owned())
            );
            assert_eq!(
                read_place(&text, "two").unwrap_err().code,
                ErrorCode::InvalidCursor
            );
        }
        let signed = |start: &str| URL_SAFE_NO_PAD.encode(format!("{start}.{}", print("one")));
        for bad in [
            "",
            "x",
            &signed("t.x.1"),
            &signed("x.1.1"),
            &signed("t"),
            &signed("n.\0.1"),
        ] {
            assert_eq!(
                read_place(bad, "one").unwrap_err().code,
                ErrorCode::InvalidCursor,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_cursor_of_an_export_fits_its_own_export_only() {
        let cursor = Exported {
            at: Millis(-1),
            seq: 42,
            last: 43,
        };
        let text = cursor.write("one");
        assert_eq!(Exported::read(&text, "one").unwrap(), cursor);
        let page = Cursor::Behind(Millis(-1), 42).write("one");
        let garbled = URL_SAFE_NO_PAD.encode(format!("e.1.x.2.{}", print("one")));
        for (bad, of) in [
            (text.as_str(), "two"),
            (page.as_str(), "one"),
            (garbled.as_str(), "one"),
            ("é", "one"),
            ("", "one"),
        ] {
            let error = Exported::read(bad, of).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidCursor, "{bad}");
        }
    }

    #[test]
    fn a_cursor_fits_its_own_request_only() {
        for cursor in [
            Cursor::Behind(Millis(1_700_000_000_123), 42),
            Cursor::Ranked(40, 1_000),
        ] {
            let text = cursor.write("one");
            assert_eq!(Cursor::read(&text, "one").unwrap(), cursor);
            assert_eq!(
                Cursor::read(&text, "two").unwrap_err().code,
                ErrorCode::InvalidCursor
            );
        }
        for bad in [
            "",
            "x",
            "é",
            "Yi4xLjI",
            &URL_SAFE_NO_PAD.encode("b.1.2"),
            &URL_SAFE_NO_PAD.encode([0xff, 0xfe]),
        ] {
            assert_eq!(
                Cursor::read(bad, "one").unwrap_err().code,
                ErrorCode::InvalidCursor,
                "{bad}"
            );
        }
    }
}
