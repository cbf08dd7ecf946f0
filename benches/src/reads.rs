//! Reads through the whole stack, against a bare twin; and deep pages against first ones.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection as Sqlite;
use serde_json::Value;

use crate::Scale;
use crate::data::{self, Seeded};
use crate::load::{Connection, Request, cost};
use crate::process::{Server, free_address};
use crate::report::{Goal, Report};
use crate::twin;

/// Items the point read rotates over.
const ITEMS: usize = 500;

/// Point read and list of conversations.
///
/// # Errors
/// When a server fails.
pub fn measure_points_and_lists(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let seeded = data::seeded(program, "small", 10_000, 0.5)?;
    let server = Server::trunkline(program, &seeded.dir)?;
    let list_path = format!(
        "/v2/api/conversations?allo_number={}&size=20",
        seeded.number.replace('+', "%2B")
    );
    let ids = some_ids(&seeded)?;
    let mut connection = Connection::open(server.address)?;
    let mut bodies = Vec::new();
    for id in &ids {
        let (_, body) = connection.send(&Request::get(
            &format!("/v2/api/conversations/items/{id}"),
            &seeded.key,
        ))?;
        bodies.push((id.clone(), String::from_utf8(body)?));
    }
    let (_, list) = connection.send(&Request::get(&list_path, &seeded.key))?;
    let list: Value = serde_json::from_slice(&list)?;
    let entries: Vec<String> = list["data"]
        .as_array()
        .context("no list")?
        .iter()
        .map(Value::to_string)
        .collect();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("twin.db");
    twin::prepare(&file, &bodies, &entries)?;
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("twin")
        .arg(&file)
        .env(twin::ADDRESS_VARIABLE, address.to_string());
    let twin = Server::start(command, address)?;

    let product_item = |i: usize| {
        Request::get(
            &format!("/v2/api/conversations/items/{}", ids[i % ids.len()]),
            &seeded.key,
        )
    };
    let twin_item = |i: usize| Request::get(&format!("/items/{}", ids[i % ids.len()]), &seeded.key);
    let product_list = |_: usize| Request::get(&list_path, &seeded.key);
    let twin_list = |_: usize| Request::get("/list", &seeded.key);
    cost(&server, scale.requests / 4, product_item)?;
    cost(&twin, scale.requests / 4, twin_item)?;
    let (mut points, mut lists, mut walls) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        let (ours, bare) = (
            cost(&server, scale.requests, product_item)?,
            cost(&twin, scale.requests, twin_item)?,
        );
        points.push((ours.cpu_us, bare.cpu_us));
        walls.push((ours.wall_us, bare.wall_us));
        let (ours, bare) = (
            cost(&server, scale.requests / 3, product_list)?,
            cost(&twin, scale.requests / 3, twin_list)?,
        );
        lists.push((ours.cpu_us, bare.cpu_us));
    }
    report.pairs(
        "point read of an item, CPU a request",
        "us",
        &points,
        Goal::AtMost(2.0),
    );
    report.pairs("point read of an item, wall a request", "us", &walls, Goal::None);
    report.pairs(
        "list of 20 conversations, CPU a request",
        "us",
        &lists,
        Goal::AtMost(1.5),
    );
    Ok(())
}

fn some_ids(seeded: &Seeded) -> Result<Vec<String>> {
    let connection = Sqlite::open(seeded.dir.join("trunkline.db"))?;
    let mut statement = connection.prepare("SELECT id FROM items WHERE seq % 19 = 0 LIMIT ?1")?;
    let ids: Vec<String> = statement
        .query_map([i64::try_from(ITEMS)?], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(ids)
}

/// Page 1, page 50 and a cursor deep in the big team, against each other and against a small team.
///
/// # Errors
/// When a server fails.
pub fn measure_paging(program: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let small = data::seeded(program, "small", 10_000, 0.5)?;
    let big = data::seeded(program, "big", scale.items, 0.02)?;
    let (small_server, big_server) = (
        Server::trunkline(program, &small.dir)?,
        Server::trunkline(program, &big.dir)?,
    );
    let path = "/v2/api/conversations/items/search";
    let deep = deep_cursor(&big_server, &big, scale.items / 2)?;
    let first = |seeded: &Seeded| Request::post(path, &seeded.key, "{\"page\":1}");
    let fifty = |seeded: &Seeded| Request::post(path, &seeded.key, "{\"page\":50}");
    let request = |body: &str| Request::post(path, &big.key, body);
    let from_middle = request(&format!("{{\"cursor\":\"{deep}\"}}"));
    let count = scale.requests / 4;
    cost(&small_server, count, |_| first(&small))?;
    cost(&big_server, count, |_| first(&big))?;
    let (mut sizes, mut fifties, mut deeps, mut fifty_sizes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        let little = cost(&small_server, count, |_| first(&small))?.cpu_us;
        let one = cost(&big_server, count, |_| first(&big))?.cpu_us;
        let fiftieth = cost(&big_server, count, |_| fifty(&big))?.cpu_us;
        let little_fiftieth = cost(&small_server, count, |_| fifty(&small))?.cpu_us;
        let middle = cost(&big_server, count, |_| from_middle.clone())?.cpu_us;
        sizes.push((one, little));
        fifties.push((fiftieth, one));
        fifty_sizes.push((fiftieth, little_fiftieth));
        deeps.push((middle, one));
    }
    let items = scale.items;
    report.pairs(
        &format!("page 1 of {items} items / of 10,000, CPU"),
        "us",
        &sizes,
        Goal::AtMost(1.3),
    );
    report.pairs(
        &format!("page 50 / page 1 of {items} items, CPU"),
        "us",
        &fifties,
        Goal::AtMost(1.3),
    );
    report.pairs(
        &format!("page 50 of {items} items / of 10,000, CPU"),
        "us",
        &fifty_sizes,
        Goal::AtMost(1.3),
    );
    report.pairs(
        &format!("cursor in the middle / page 1 of {items} items, CPU"),
        "us",
        &deeps,
        Goal::AtMost(1.3),
    );
    Ok(())
}

/// A cursor that continues in the middle of the timeline: one that the server gave out, moved there.
fn deep_cursor(server: &Server, big: &Seeded, place: u64) -> Result<String> {
    let database = Sqlite::open(big.dir.join("trunkline.db"))?;
    let sql = "SELECT at, seq FROM items WHERE team_id = (SELECT MIN(team_id) FROM teams) ORDER BY at DESC, seq DESC LIMIT 1 OFFSET ?1";
    let (at, seq): (i64, i64) =
        database.query_row(sql, [i64::try_from(place)?], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let search = Request::post("/v2/api/conversations/items/search", &big.key, "{}");
    let (_, body) = Connection::open(server.address)?.send(&search)?;
    let answer: Value = serde_json::from_slice(&body)?;
    let given = answer["pagination"]["next_cursor"]
        .as_str()
        .context("no cursor")?;
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(given)?)?;
    let belongs = plain.rsplit('.').next().context("no fingerprint")?;
    Ok(URL_SAFE_NO_PAD.encode(format!("b.{at}.{seq}.{belongs}")))
}
