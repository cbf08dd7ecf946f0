//! Tags: those of a team, and those on calls.

use trunkline_domain::events::{TagChange, Topic};
use trunkline_domain::tag::{MAX_TAGS_PER_ITEM, color_of, key as slug, name_of};
use trunkline_domain::{CallId, ErrorCode, ItemId, TagId};
use trunkline_store::analytics;
use trunkline_store::items::{self, ItemRow};
use trunkline_store::tags::{self, TagRow};
use trunkline_store::{Conn, StoreError, TeamKey};

use crate::audit::{enter, enter_fields};
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
/// `TAG_ALREADY_EXISTS` when the team has one with this key, `TEAM_LIMIT_REACHED` when it has too many.
pub fn define(work: &mut Work<'_, '_>, key: &str, name: &str, color: &str) -> Result<TagRow, Error> {
    must_be_new(work, key)?;
    create(work, key, name, color)
}

fn must_be_new(work: &mut Work<'_, '_>, key: &str) -> Result<(), Error> {
    if tags::get(work.tx, work.team, key)?.is_none() {
        return Ok(());
    }
    let message = format!("the team has a tag {key:?} already");
    Err(Refused::new(ErrorCode::TagAlreadyExists)
        .param("name")
        .because(message)
        .into())
}

fn create(work: &mut Work<'_, '_>, key: &str, name: &str, color: &str) -> Result<TagRow, Error> {
    if tags::count(work.tx, work.team)? >= MAX_TAGS_PER_TEAM {
        let message = format!("a team has at most {MAX_TAGS_PER_TEAM} tags");
        return Err(Refused::new(ErrorCode::TeamLimitReached)
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
        prompt: None,
    };
    tags::insert(work.tx, work.team, &tag)?;
    Ok(tag)
}

/// A tag that a team defines. Everything in it was checked.
#[derive(Clone, Debug)]
pub struct CreateTag {
    /// Its key: see [`slug`].
    pub key: String,
    /// What people call it.
    pub name: String,
    /// `#RRGGBB`; `None`: one that follows from the key.
    pub color: Option<String>,
    /// When a call is to get it, in words for whoever reads the transcript.
    pub prompt: Option<String>,
}

/// Defines a tag for its team.
///
/// # Errors
/// `TAG_ALREADY_EXISTS` when the team has one with this key, `TEAM_LIMIT_REACHED` when it has too many.
pub fn create_by(work: &mut Work<'_, '_>, tag: &CreateTag, by: &Actor) -> Result<TagRow, Error> {
    let color = tag.color.as_deref().unwrap_or_else(|| color_of(&tag.key));
    let made = define(work, &tag.key, &tag.name, color)?;
    let row = TagRow {
        prompt: tag.prompt.clone(),
        ..made
    };
    if row.prompt.is_some() {
        tags::update(work.tx, work.team, &row)?;
    }
    enter(
        work,
        by,
        "tag.created",
        &row.id.to_string(),
        Some(row.key.clone()),
    )?;
    Ok(row)
}

/// What is to change about a tag; `None` stays. Everything in it was checked.
#[derive(Clone, Debug, Default)]
pub struct UpdateTag {
    /// What people call it.
    pub name: Option<String>,
    /// `#RRGGBB`.
    pub color: Option<String>,
    /// When a call is to get it; `Some(None)`: nobody but people decides.
    pub prompt: Option<Option<String>>,
}

/// Changes a tag, which `text` names by key or id, and returns how it is now. Calls that carry it are not touched: they
/// carry its key, which stays.
///
/// # Errors
/// `TAG_NOT_FOUND`.
pub fn update(work: &mut Work<'_, '_>, text: &str, changes: &UpdateTag, by: &Actor) -> Result<TagRow, Error> {
    let before = the_tag(work, text)?;
    let after = TagRow {
        name: changes.name.clone().unwrap_or_else(|| before.name.clone()),
        color: changes.color.clone().unwrap_or_else(|| before.color.clone()),
        prompt: changes.prompt.clone().unwrap_or_else(|| before.prompt.clone()),
        ..before.clone()
    };
    let changed = [
        ("label", after.name != before.name),
        ("color", after.color != before.color),
        ("prompt", after.prompt != before.prompt),
    ];
    let fields: Vec<&str> = changed
        .iter()
        .filter(|(_, changed)| *changed)
        .map(|(name, _)| *name)
        .collect();
    if !fields.is_empty() {
        tags::update(work.tx, work.team, &after)?;
        enter_fields(work, by, "tag.updated", &after.id.to_string(), &fields)?;
    }
    Ok(after)
}

/// Takes a tag, which `text` names by key or id, out of the team's list: it is not offered any more. Calls that carry it
/// keep it, and are found and counted by it as before, so that no report changes in retrospect.
///
/// # Errors
/// `TAG_NOT_FOUND`.
pub fn delete(work: &mut Work<'_, '_>, text: &str, by: &Actor) -> Result<(), Error> {
    let tag = the_tag(work, text)?;
    tags::delete(work.tx, work.team, &tag.key)?;
    enter(work, by, "tag.deleted", &tag.id.to_string(), Some(tag.key))
}

/// The team's tag with this key or id.
///
/// # Errors
/// Of the store.
pub fn find(conn: &mut Conn<'_>, team: TeamKey, text: &str) -> Result<Option<TagRow>, StoreError> {
    // A key may look like an id, but not be the id of another tag.
    if let Ok(id) = TagId::parse(text)
        && let Some(tag) = tags::by_id(conn, team, id)?
    {
        return Ok(Some(tag));
    }
    match slug(text) {
        Some(key) => tags::get(conn, team, &key),
        None => Ok(None),
    }
}

fn the_tag(work: &mut Work<'_, '_>, text: &str) -> Result<TagRow, Error> {
    let missing = || Refused::new(ErrorCode::TagNotFound).param("tag");
    Ok(find(work.tx, work.team, text)?.ok_or_else(missing)?)
}
