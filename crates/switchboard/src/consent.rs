//! Keywords of people: who wants no more texts from a line, who wants them again, who asks for help.

use trunkline_domain::sms::keywords::{answer, recognise};
use trunkline_domain::sms::{Keyword, Language};
use trunkline_domain::{Capability, Millis, PhoneNumber};
use trunkline_store::items::ItemRow;
use trunkline_store::numbers::NumberRow;
use trunkline_store::teams;
use trunkline_store::text_consents::{self, ConsentRow};

use crate::messages::{Origin, PutOut, put_out};
use crate::{Error, Work};

/// A HELP is answered once in this time: two machines must not talk to each other for ever.
const HELP_EVERY: i64 = Millis::HOUR;

/// How a number stands to the texts of a line; of one that was erased it is known still that it wants none.
///
/// # Errors
/// The store's failure.
pub(crate) fn standing(
    work: &mut Work<'_, '_>,
    number: PhoneNumber,
    line: i64,
) -> Result<Option<ConsentRow>, Error> {
    if let Some(known) = text_consents::get(work.tx, work.team, number, line)? {
        return Ok(Some(known));
    }
    let Some(fingerprints) = work.fingerprints else {
        return Ok(None);
    };
    let fingerprint = fingerprints.of(work.team, number);
    Ok(text_consents::of_erased(work.tx, work.team, &fingerprint, line)?)
}

/// Heeds the keyword that a text which came in may be: records what it changes for this pair of numbers, and answers
/// once. A keyword that changes nothing is a text like any other.
///
/// # Errors
/// The store's failure.
pub(crate) fn heed(
    work: &mut Work<'_, '_>,
    line: &NumberRow,
    item: &ItemRow,
    content: &str,
) -> Result<(), Error> {
    let Some(said) = recognise(content) else {
        return Ok(());
    };
    let known = standing(work, item.contact_number, line.line)?;
    let before = known.unwrap_or_default();
    // A text that was overtaken on its way changes nothing any more.
    let newer = before.changed_at.is_none_or(|changed_at| item.at >= changed_at);
    let changed = ConsentRow {
        changed_at: Some(item.at),
        item: Some(item.seq),
        ..before
    };
    let after = match said.keyword {
        Keyword::OptOut if newer && !before.opted_out => ConsentRow {
            opted_out: true,
            ..changed
        },
        Keyword::OptIn if newer && before.opted_out => ConsentRow {
            opted_out: false,
            ..changed
        },
        Keyword::Help if before.help_at.is_none_or(|at| work.now.since(at) >= HELP_EVERY) => ConsentRow {
            help_at: Some(work.now),
            ..before
        },
        _ => return Ok(()),
    };
    text_consents::put(work.tx, work.team, item.contact_number, line.line, after)?;
    if !line.capabilities.contains(&Capability::Sms) {
        return Ok(());
    }
    let of_line = || Language::of_country(line.country.as_deref().unwrap_or(&work.country));
    let language = said.language.unwrap_or_else(of_line);
    let team = teams::get(work.tx, work.team)?.map(|team| team.name);
    let out = PutOut {
        line,
        to: item.contact_number,
        content: &answer(said.keyword, language, &team.unwrap_or_default()),
        media: &[],
        user: None,
        origin: Origin::Automatic,
    };
    put_out(work, &out).map(drop)
}
