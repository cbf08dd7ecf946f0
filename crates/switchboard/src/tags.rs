//! Tags on calls.

use trunkline_domain::events::{TagChange, Topic};
use trunkline_domain::tag::{MAX_TAGS_PER_ITEM, color_of, key as slug, name_of};
use trunkline_domain::{CallId, ErrorCode, ItemId, TagId};
use trunkline_store::analytics;
use trunkline_store::items::{self, ItemRow};
use trunkline_store::tags::{self, TagRow};

use crate::{Actor, Error, Refused, Work};

/// The most tags a team may have.
pub const MAX_TAGS_PER_TEAM: i64 = 1_000;

/// Adds tags to a call, all or none. A tag that the team has not defined is created with it, unless the team turned
/// that off. Returns the call's tags.
///
/// # Errors
/// `CALL_NOT_FOUND`, `TAGS_REQUIRED`, `TAG_ALREADY_EXISTS`, `TAG_NOT_FOUND` (not defined, and not to be created),
/// `INVALID_PARAMETER` for what makes no key.
pub fn add(
    work: &mut Work<'_, '_>,
    call: CallId,
    wanted: &[String],
    by: &Actor,
) -> Result<Vec<String>, Error> {
    let before = tagged(work, call)?;
    if wanted.is_empty() {
        return Err(Refused::new(ErrorCode::TagsRequired).param("tags").into());
    }
    let mut keys: Vec<String> = Vec::with_capacity(wanted.len());
    for text in wanted {
        let key = slug(text).ok_or_else(|| {
            let message =
                format!("{text:?} makes no tag key: use letters, digits, - and _, at most 64 characters");
            Refused::new(ErrorCode::InvalidParameter)
                .param("tags")
                .because(message)
        })?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if let Some(known) = keys.iter().find(|key| before.tags.contains(key)) {
        let message = format!("the call has the tag {known:?} already; nothing was changed");
        return Err(Refused::new(ErrorCode::TagAlreadyExists)
            .param("tags")
            .because(message)
            .into());
    }
    let mut after = before.clone();
    for key in keys {
        put_on(work, &mut after, &key, call, by)?;
    }
    items::update(work.tx, work.team, &before, &after)?;
    analytics::retag(work.tx, work.team, &before, &after)?;
    Ok(after.tags)
}

/// Puts one tag on an item that is about to be saved, and tells of it.
pub(crate) fn put_on(
    work: &mut Work<'_, '_>,
    item: &mut ItemRow,
    key: &str,
    call: CallId,
    by: &Actor,
) -> Result<(), Error> {
    if item.tags.len() >= MAX_TAGS_PER_ITEM {
        let message = format!("a call carries at most {MAX_TAGS_PER_ITEM} tags");
        return Err(Refused::new(ErrorCode::InvalidParameter)
            .param("tags")
            .because(message)
            .into());
    }
    let tag = known_or_new(work, key)?;
    tags::put_on(work.tx, work.team, key, item.at, item.seq)?;
    item.tags.push(key.to_owned());
    let change = TagChange {
        call_id: call,
        id: call,
        tag_key: tag.key,
        tag_name: tag.name,
        user_email: by.email(),
    };
    Ok(work.emit(Topic::TagAdded, work.now, Some(item.seq), &change)?)
}

/// Removes a tag from a call. Returns the tags it still carries.
///
/// # Errors
/// `CALL_NOT_FOUND`, `TAG_NOT_FOUND` when the call does not carry it.
pub fn remove(work: &mut Work<'_, '_>, call: CallId, text: &str, by: &Actor) -> Result<Vec<String>, Error> {
    let before = tagged(work, call)?;
    let key = slug(text).filter(|key| before.tags.contains(key));
    let key = key.ok_or_else(|| Refused::new(ErrorCode::TagNotFound).param("tag"))?;
    let mut after = before.clone();
    after.tags.retain(|tag| *tag != key);
    tags::take_off(work.tx, work.team, &key, before.at, before.seq)?;
    items::update(work.tx, work.team, &before, &after)?;
    analytics::retag(work.tx, work.team, &before, &after)?;
    let name = tags::get(work.tx, work.team, &key)?.map_or_else(|| name_of(&key), |tag| tag.name);
    let change = TagChange {
        call_id: call,
        id: call,
        tag_key: key,
        tag_name: name,
        user_email: by.email(),
    };
    work.emit(Topic::TagRemoved, work.now, Some(before.seq), &change)?;
    Ok(after.tags)
}

fn tagged(work: &mut Work<'_, '_>, call: CallId) -> Result<ItemRow, Error> {
    items::get(work.tx, work.team, ItemId::Call(call))?.ok_or_else(|| ErrorCode::CallNotFound.into())
}

fn known_or_new(work: &mut Work<'_, '_>, key: &str) -> Result<TagRow, Error> {
    if let Some(tag) = tags::get(work.tx, work.team, key)? {
        return Ok(tag);
    }
    if !work.create_tags {
        let message = format!("the team has no tag {key:?}, and tags are not created on the fly");
        return Err(Refused::new(ErrorCode::TagNotFound)
            .param("tags")
            .because(message)
            .into());
    }
    create(work, key, &name_of(key), color_of(key))
}

/// Defines a tag.
///
/// # Errors
/// `TAG_ALREADY_EXISTS` when the team has one with this key, `INVALID_PARAMETER` when it has too many.
pub fn define(work: &mut Work<'_, '_>, key: &str, name: &str, color: &str) -> Result<TagRow, Error> {
    if tags::get(work.tx, work.team, key)?.is_some() {
        let message = format!("the team has a tag {key:?} already");
        return Err(Refused::new(ErrorCode::TagAlreadyExists)
            .param("key")
            .because(message)
            .into());
    }
    create(work, key, name, color)
}

fn create(work: &mut Work<'_, '_>, key: &str, name: &str, color: &str) -> Result<TagRow, Error> {
    if tags::count(work.tx, work.team)? >= MAX_TAGS_PER_TEAM {
        let message = format!("a team has at most {MAX_TAGS_PER_TEAM} tags");
        return Err(Refused::new(ErrorCode::InvalidParameter)
            .param("tags")
            .because(message)
            .into());
    }
    let id: TagId = work.new_id(work.now);
    let (key, name, color) = (key.to_owned(), name.to_owned(), color.to_owned());
    let tag = TagRow {
        key,
        id,
        name,
        color,
        created_at: work.now,
    };
    tags::insert(work.tx, work.team, &tag)?;
    Ok(tag)
}
