//! Queues of the power dialer while many clients on two nodes add to and remove from the same ones. Then what they did is
//! played again, in the order in which it was committed, on the plainest model there is.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use trunkline_domain::{ErrorCode, PhoneNumber, UserId};
use trunkline_store::dialing_queues::{self, EntryRow};
use trunkline_store::{Conn, StoreError, teams};
use trunkline_switchboard::dialer::{self, Append, Clear, Target};
use trunkline_switchboard::{Error, Switchboard, Work};
use trunkline_testkit::db::{Office, Seed, TestDb, number};

use crate::support::refusal;

const CLIENTS: u64 = 16;
const DEEDS: usize = 30;

/// What a command did to whose queue.
#[derive(Clone, Debug)]
enum Deed {
    /// These numbers got these positions.
    Added(Vec<(i64, PhoneNumber)>),
    /// So many entries with this number were removed, all or the one at a position.
    Removed(PhoneNumber, Option<i64>, u64),
    /// The entry at this position was removed.
    RemovedAt(i64),
}

struct Client {
    random: StdRng,
    board: Switchboard,
    office: Whose,
    done: Vec<(i64, UserId, Deed)>,
}

#[derive(Clone, Copy)]
struct Whose {
    team: trunkline_store::TeamKey,
    users: [UserId; 2],
}

/// Where in the order of commits, under the team's row.
fn place(work: &mut Work<'_, '_>) -> Result<i64, Error> {
    Ok(teams::next_entry(work.tx, work.team)?)
}

impl Client {
    async fn do_something(&mut self) {
        let user = *self.office.users.choose(&mut self.random).unwrap();
        let target = Target::User(user);
        let some = |random: &mut StdRng| number(&format!("+1415555{:04}", random.random_range(0..12)));
        let at = self.random.random_range(0..60);
        let done = match self.random.random_range(0..6) {
            0..=2 => {
                let wanted: Vec<Append> = (0..self.random.random_range(1..6))
                    .map(|_| Append {
                        number: some(&mut self.random).to_string(),
                        ..Append::default()
                    })
                    .collect();
                self.run(move |work| {
                    let appended = dialer::append(work, &target, &wanted, user)?;
                    let added = appended.added.iter().map(|entry| (entry.position, entry.number));
                    Ok(Deed::Added(added.collect()))
                })
                .await
            }
            3 => {
                let number = some(&mut self.random);
                self.run(move |work| {
                    let removed = dialer::remove(work, &target, &Clear::Number(number.to_string(), None))?;
                    Ok(Deed::Removed(number, None, removed))
                })
                .await
            }
            4 => {
                self.run(move |work| {
                    dialer::remove(work, &target, &Clear::Position(at))?;
                    Ok(Deed::RemovedAt(at))
                })
                .await
            }
            _ => {
                let number = some(&mut self.random);
                self.run(move |work| {
                    let removed =
                        dialer::remove(work, &target, &Clear::Number(number.to_string(), Some(at)))?;
                    Ok(Deed::Removed(number, Some(at), removed))
                })
                .await
            }
        };
        match done {
            Ok((place, deed)) => self.done.push((place, user, deed)),
            Err(refused) => {
                let code = refusal::<()>(Err(refused)).code;
                let expected = [
                    ErrorCode::QueueNumberPositionNotFound,
                    ErrorCode::DialingQueueNotFound,
                ];
                assert!(expected.contains(&code), "{code}");
            }
        }
    }

    async fn run<F>(&mut self, mut command: F) -> Result<(i64, Deed), Error>
    where
        F: FnMut(&mut Work<'_, '_>) -> Result<Deed, Error> + Send + 'static,
    {
        let run = self.board.run(self.office.team, move |work| -> Result<_, Error> {
            Ok((place(work)?, command(work)?))
        });
        run.await
    }
}

/// What the queues must be.
#[derive(Default)]
struct Model {
    entries: BTreeMap<i64, PhoneNumber>,
    next: i64,
}

impl Model {
    fn play(&mut self, deed: &Deed) {
        match deed {
            Deed::Added(added) => {
                for (position, number) in added {
                    assert_eq!(
                        *position, self.next,
                        "behind all that ever were there, without a gap"
                    );
                    self.entries.insert(*position, *number);
                    self.next += 1;
                }
            }
            Deed::Removed(number, at, removed) => {
                let before = self.entries.len();
                self.entries
                    .retain(|position, own| own != number || at.is_some_and(|at| at != *position));
                assert_eq!((before - self.entries.len()) as u64, *removed);
            }
            Deed::RemovedAt(position) => assert!(self.entries.remove(position).is_some()),
        }
    }
}

async fn positions_are_stable_under_concurrent_writes(t: TestDb) {
    let office = t.office().await;
    for seed in Seed::first(1) {
        let boards = [office.board.clone(), office.node_on(t.open_again(), "node-2")];
        let whose = Whose {
            team: office.team,
            users: [office.ada, office.ben],
        };
        let running: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let mut client = Client {
                    random: StdRng::seed_from_u64(seed.get() * 1_000 + n),
                    board: boards[n as usize % 2].clone(),
                    office: whose,
                    done: Vec::new(),
                };
                tokio::spawn(async move {
                    for _ in 0..DEEDS {
                        client.do_something().await;
                    }
                    client.done
                })
            })
            .collect();
        let mut done = Vec::new();
        for client in running {
            done.extend(client.await.unwrap());
        }
        done.sort_by_key(|(place, ..)| *place);
        assert!(done.len() > 200, "only {} commands did anything", done.len());
        let mut models: BTreeMap<UserId, Model> = BTreeMap::new();
        for (_, user, deed) in &done {
            models.entry(*user).or_default().play(deed);
        }
        for user in whose.users {
            let expected: Vec<(i64, PhoneNumber)> = models[&user].entries.clone().into_iter().collect();
            assert_eq!(entries(&office, user).await, expected);
        }
        office.assert_sound().await;
    }
}

async fn entries(office: &Office, user: UserId) -> Vec<(i64, PhoneNumber)> {
    let team = office.team;
    let read = move |conn: &mut Conn<'_>| -> Result<Vec<EntryRow>, StoreError> {
        let queue = dialing_queues::current(conn, team, user)?.unwrap();
        dialing_queues::entries(conn, team, queue.queue, -1, 2_000, 0)
    };
    let rows = office.board.db().read(read).await.unwrap();
    rows.iter().map(|entry| (entry.position, entry.number)).collect()
}

/// Two that would be too many together: one of them is refused whole.
async fn the_limit_holds_under_concurrent_writes(t: TestDb) {
    let office = t.office().await;
    let boards = [office.board.clone(), office.node_on(t.open_again(), "node-2")];
    let (team, ada) = (office.team, office.ada);
    let running: Vec<_> = (0..8)
        .map(|n| {
            let board = boards[n % 2].clone();
            let wanted = vec![
                Append {
                    number: format!("+1415555{n:04}"),
                    ..Append::default()
                };
                240
            ];
            tokio::spawn(async move {
                let run = board.run(team, move |work| {
                    dialer::append(work, &Target::User(ada), &wanted, ada).map(|done| done.added.len())
                });
                run.await
            })
        })
        .collect();
    let mut added = Vec::new();
    for task in running {
        match task.await.unwrap() {
            Ok(count) => added.push(count),
            Err(error) => {
                let refused = refusal::<()>(Err(error));
                assert_eq!(refused.code, ErrorCode::DialingQueueLimitReached);
            }
        }
    }
    assert_eq!(added, [240; 4], "four fit");
    let found = entries(&office, ada).await;
    let positions: Vec<i64> = found.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (0..960).collect::<Vec<i64>>());
}

trunkline_testkit::on_both! { positions_are_stable_under_concurrent_writes, the_limit_holds_under_concurrent_writes }
