//! The items of one batch.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use trunkline_domain::events::TranscriptLine;
use trunkline_domain::{CallResult, Direction, Millis};
use trunkline_switchboard::import::{ImportBody, ImportItem};

use super::office::{Office, Outside};
use super::pool::{Pool, Shelf, varied};
use crate::corpus::CallText;
use crate::history::speaker;

/// Lines of a transcript that get a rare word.
const VARIED_LINES: usize = 3;

/// Of items that are no calls with a transcript, so many are texts; the others are calls that nobody took.
const TEXTS: f64 = 0.75;

/// Makes the items with these places in the office's history, oldest first.
pub(super) fn make(office: &Office, pool: &Pool, places: Range<u64>) -> Vec<ImportItem> {
    let mut rng = StdRng::seed_from_u64(office.seed ^ (places.start + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
    let rng = &mut rng;
    let mut items = Vec::with_capacity(usize::try_from(places.end - places.start).unwrap_or_default());
    for place in places {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 items")]
        let at = office
            .hours
            .at((place as f64 + rng.random::<f64>()) / office.items as f64);
        items.push(item(rng, office, pool, at));
    }
    items
}

fn item(rng: &mut StdRng, office: &Office, pool: &Pool, at: Millis) -> ImportItem {
    let number = popular(rng, office.outside.len());
    let Outside {
        number: contact,
        language,
    } = office.outside[number];
    // Most people keep to the same line and the same user.
    let usual = |rng: &mut StdRng, of: usize| {
        if rng.random_bool(0.8) {
            number % of
        } else {
            rng.random_range(0..of)
        }
    };
    let line = office.lines[usual(rng, office.lines.len())];
    let user = office.users[usual(rng, office.users.len())];
    let shelf = pool.shelf(language);
    let inbound = rng.random_bool(0.55);
    let direction = if inbound {
        Direction::Inbound
    } else {
        Direction::Outbound
    };
    let (user, body) = if rng.random_bool(office.transcripts_share) {
        let result = match rng.random_range(0..100) {
            0..10 if inbound => CallResult::Voicemail,
            10..13 => CallResult::TransferredAi,
            13..15 => CallResult::TransferredExternal,
            _ => CallResult::Answered,
        };
        let taken = result != CallResult::Voicemail && result != CallResult::TransferredAi;
        (taken.then_some(user), spoken(rng, shelf, inbound, result, at))
    } else if rng.random_bool(TEXTS) {
        (
            (!inbound).then_some(user),
            ImportBody::Message {
                content: text(rng, shelf, inbound),
            },
        )
    } else {
        let result = match rng.random_range(0..100) {
            0..4 if inbound => CallResult::Blocked,
            4..14 => CallResult::Failed,
            14..20 if !inbound => CallResult::Voicemail,
            _ => CallResult::Missed,
        };
        let duration = if result == CallResult::Voicemail {
            rng.random_range(8..40)
        } else {
            0
        };
        let body = ImportBody::Call {
            result,
            duration,
            transcript: Vec::new(),
            summary: None,
            tags: Vec::new(),
        };
        ((!inbound).then_some(user), body)
    };
    ImportItem {
        line,
        contact,
        direction,
        user,
        at,
        body,
    }
}

/// One of `count` places; the first ones more often.
fn popular(rng: &mut StdRng, count: usize) -> usize {
    let drawn: f64 = rng.random();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    let place = (drawn * drawn * count as f64) as usize;
    place.min(count - 1)
}

fn text(rng: &mut StdRng, shelf: &Shelf, inbound: bool) -> String {
    let text = shelf.text(rng, inbound);
    if rng.random_bool(0.6) {
        varied(rng, text)
    } else {
        text.to_owned()
    }
}

fn spoken(rng: &mut StdRng, shelf: &Shelf, inbound: bool, result: CallResult, at: Millis) -> ImportBody {
    let text: &CallText = match result {
        CallResult::Voicemail => shelf.voicemail(rng),
        _ => shelf.call(rng, inbound),
    };
    let lines = text.lines.iter().map(|line| TranscriptLine {
        source: speaker(line.speaker),
        time: at.plus(i64::from(line.offset_ms)),
        text: line.text.clone(),
    });
    let mut transcript: Vec<TranscriptLine> = lines.collect();
    for _ in 0..VARIED_LINES.min(transcript.len()) {
        let place = rng.random_range(0..transcript.len());
        transcript[place].text = varied(rng, &transcript[place].text);
    }
    ImportBody::Call {
        result,
        duration: i64::from(text.duration_ms / 1_000),
        transcript,
        summary: Some(varied(rng, &text.summary)),
        tags: text.tags.iter().map(|tag| (*tag).to_owned()).collect(),
    }
}
