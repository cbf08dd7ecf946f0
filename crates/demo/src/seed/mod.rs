//! Items in bulk, for load tests: teams with millions of calls and texts.
//!
//! Items go in by [`import`], a thousand in one transaction; while the store writes, the other cores make up what
//! comes next. What a batch holds depends on the seed and its place alone, so the same seed gives the same items.

mod batch;
mod office;
mod pool;

use std::collections::VecDeque;
use std::sync::Arc;

use trunkline_domain::{Clock, Ids, Millis, TeamId};
use trunkline_store::{Db, StoreError, TeamKey};
use trunkline_switchboard::import::{ImportItem, import};
use trunkline_switchboard::{Error, Switchboard};

use office::Office;
use pool::Pool;

/// Items that are stored in one transaction.
const ITEMS_PER_UNIT: u64 = 1_000;

/// What is made.
#[derive(Clone, Copy, Debug)]
pub struct SeedOptions {
    /// Calls and texts in all.
    pub items: u64,
    /// Teams they are spread over evenly.
    pub teams: u64,
    /// The same seed gives the same items (numbers of teams and ids come from `ids`).
    pub seed: u64,
    /// Share (0 to 1) of items that are calls with a transcript.
    pub transcripts_share: f64,
    /// The days before now that items are spread over.
    pub days: u32,
}

impl Default for SeedOptions {
    fn default() -> Self {
        Self {
            items: 100_000,
            teams: 1,
            seed: 1,
            transcripts_share: 0.5,
            days: 365,
        }
    }
}

/// What was made.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedReport {
    /// The new teams.
    pub teams: Vec<(TeamKey, TeamId)>,
    /// Calls and texts.
    pub items: u64,
    /// Contacts.
    pub contacts: u64,
    /// How long it took, by the clock passed in.
    pub seconds: f64,
    /// Items in a second, teams and contacts included in the time; 0 if no time has passed.
    pub items_per_second: f64,
}

/// Makes new teams full of items that end at the clock's present. `progress` is told how many items are stored, and of
/// how many. A database may be seeded any number of times.
///
/// # Errors
/// The store's failure; what was stored until then stays.
pub async fn seed(
    db: &Db,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
    options: SeedOptions,
    mut progress: impl FnMut(u64, u64),
) -> Result<SeedReport, Error> {
    let began = clock.now();
    progress(0, options.items);
    let teams = options.teams.max(1);
    let size = options.items.div_ceil(10).clamp(50, 2_000);
    let pool = Arc::new(in_background(move || Pool::new(options.seed, size)).await?);
    let board = Switchboard::new(db.clone(), clock, ids, "seed");
    let mut report = SeedReport {
        teams: Vec::new(),
        items: 0,
        contacts: 0,
        seconds: 0.0,
        items_per_second: 0.0,
    };
    for place in 0..teams {
        let items = options.items / teams + u64::from(place < options.items % teams);
        let office = Arc::new(Office::open(&board, place, items, began, &options).await?);
        report.teams.push((office.team, office.team_id));
        report.contacts += office.contacts() as u64;
        let stored = report.items;
        fill(&board, &office, &pool, |done| {
            progress(stored + done, options.items)
        })
        .await?;
        report.items += items;
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    {
        report.seconds = board.now().since(began) as f64 / Millis::SECOND as f64;
        if report.seconds > 0.0 {
            report.items_per_second = report.items as f64 / report.seconds;
        }
    }
    Ok(report)
}

/// Makes and stores the items of one team, oldest first.
async fn fill(
    board: &Switchboard,
    office: &Arc<Office>,
    pool: &Arc<Pool>,
    mut progress: impl FnMut(u64),
) -> Result<(), Error> {
    let ahead = std::thread::available_parallelism().map_or(2, usize::from);
    let batches = office.items.div_ceil(ITEMS_PER_UNIT);
    let mut next = 0..batches;
    let mut made = VecDeque::with_capacity(ahead);
    let mut stored = 0;
    loop {
        while made.len() < ahead
            && let Some(place) = next.next()
        {
            let (office, pool) = (office.clone(), pool.clone());
            made.push_back(tokio::task::spawn_blocking(move || {
                let first = place * ITEMS_PER_UNIT;
                Arc::<[ImportItem]>::from(batch::make(
                    &office,
                    &pool,
                    first..(first + ITEMS_PER_UNIT).min(office.items),
                ))
            }));
        }
        let Some(batch) = made.pop_front() else {
            return Ok(());
        };
        let batch = batch.await.map_err(|_| StoreError::Panicked)?;
        // The writer has better things to do than to free the batch, so it is kept until the writer is done.
        let kept = batch.clone();
        board.run(office.team, move |work| import(work, &batch)).await?;
        stored += kept.len() as u64;
        progress(stored);
    }
}

/// Runs `work` on a thread for blocking work.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Panicked)
}
