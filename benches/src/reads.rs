//! Reads through the whole stack, against a bare twin; and deep pages against first ones.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection as Sqlite;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Scale;
use crate::data::{self, Seeded};
use crate::grow;
use crate::load::{Connection, Request, cost};
use crate::process::{Server, free_address};
use crate::report::{Goal, Report};
use crate::twin;

/// Items the point read rotates over.
const ITEMS: usize = 500;

/// Items of the big team that the program makes itself; a longer history repeats them.
const SEEDED: u64 = 1_000_000;

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
    let list = String::from_utf8(list)?;
    let parts: Parts<'_> = serde_json::from_str(&list)?;
    let entries: Vec<&str> = parts.data.iter().map(|entry| entry.get()).collect();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("twin.db");
    twin::prepare(&file, &bodies, &entries)?;
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("twin").arg(address.to_string()).arg(&file);
    command.arg(seeded.dir.join("trunkline.db"));
    command.args([seeded.number.as_str(), parts.pagination.get()]);
    let twin = Server::start(command, address)?;
    let twin_item =
        |path: &str, i: usize| Request::get(&format!("{path}/{}", ids[i % ids.len()]), &seeded.key);
    let twin_list = |path: &str| Request::get(path, &seeded.key);
    same_bytes(&twin, &bodies, &list, &seeded.key)?;

    let product_item = |i: usize| {
        Request::get(
            &format!("/v2/api/conversations/items/{}", ids[i % ids.len()]),
            &seeded.key,
        )
    };
    let product_list = |_: usize| Request::get(&list_path, &seeded.key);
    server.settle()?;
    cost(&server, scale.requests / 4, product_item)?;
    cost(&twin, scale.requests / 4, |i| twin_item("/items", i))?;
    let (mut points, mut point_rows, mut walls) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lists, mut list_rows) = (Vec::new(), Vec::new());
    for _ in 0..scale.pairs {
        let ours = cost(&server, scale.requests, product_item)?;
        let bare = cost(&twin, scale.requests, |i| twin_item("/items", i))?;
        let rows = cost(&twin, scale.requests, |i| twin_item("/rows/items", i))?;
        points.push((ours.cpu_us, bare.cpu_us));
        point_rows.push((ours.cpu_us, rows.cpu_us));
        walls.push((ours.wall_us, bare.wall_us));
        let ours = cost(&server, scale.requests / 2, product_list)?;
        let bare = cost(&twin, scale.requests / 2, |_| twin_list("/list"))?;
        let rows = cost(&twin, scale.requests / 2, |_| twin_list("/rows/list"))?;
        lists.push((ours.cpu_us, bare.cpu_us));
        list_rows.push((ours.cpu_us, rows.cpu_us));
    }
    let mut row = |name: &str, pairs: &[(f64, f64)], goal: Goal| report.pairs(name, "us", pairs, goal);
    row(
        "point read, CPU / bare handler, text prepared",
        &points,
        Goal::AtMost(2.0),
    );
    row(
        "point read, CPU / bare handler, from rows",
        &point_rows,
        Goal::None,
    );
    row(
        "point read, wall / bare handler, text prepared",
        &walls,
        Goal::None,
    );
    row(
        "list of 20, CPU / bare handler, text prepared",
        &lists,
        Goal::AtMost(1.5),
    );
    row(
        "list of 20, CPU / bare handler, from rows",
        &list_rows,
        Goal::AtMost(1.5),
    );
    Ok(())
}

/// The list, taken apart without a change to its bytes.
#[derive(Deserialize)]
struct Parts<'l> {
    #[serde(borrow)]
    data: Vec<&'l RawValue>,
    #[serde(borrow)]
    pagination: &'l RawValue,
}

/// Makes sure that the twin's answers are the product's, to the byte.
fn same_bytes(twin: &Server, bodies: &[(String, String)], list: &str, key: &str) -> Result<()> {
    let mut connection = Connection::open(twin.address)?;
    let mut compare = |path: &str, expected: &str| -> Result<()> {
        let (_, body) = connection.send(&Request::get(path, key))?;
        anyhow::ensure!(body == expected.as_bytes(), "the twin answers {path} differently");
        Ok(())
    };
    for (id, body) in bodies {
        compare(&format!("/items/{id}"), body)?;
        compare(&format!("/rows/items/{id}"), body)?;
    }
    compare("/list", list)?;
    compare("/rows/list", list)
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
    let seeded = data::seeded(program, "big", scale.items.min(SEEDED), 0.02)?;
    let big = grow::grown(&seeded, u32::try_from(scale.items.div_ceil(SEEDED))?)?;
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
    small_server.settle()?;
    big_server.settle()?;
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
