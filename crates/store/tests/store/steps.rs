//! What is noted of a task's statements.

use trunkline_store::{Conn, Steps, StoreError, Tx};
use trunkline_testkit::db::TestDb;

trunkline_testkit::on_both! {
    what_a_watched_task_has_run_is_noted_in_order,
}

const ONE: &str = "SELECT 1";
const TWO: &str = "SELECT CAST(2 AS BIGINT)";

fn one(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    conn.rows(ONE, &[], |_| Ok(())).map(drop)
}

fn two(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.row(TWO, &[], |_| Ok(())).map(drop)
}

async fn what_a_watched_task_has_run_is_noted_in_order(db: TestDb) {
    let (db, steps) = (db.db().clone(), Steps::default());
    let task = async {
        db.read(one).await?;
        db.write(two).await?;
        // What goes on meanwhile is nobody's but its own.
        let other = db.clone();
        tokio::spawn(async move { other.write(two).await })
            .await
            .unwrap()?;
        db.scan(one).await
    };
    let done: Result<(), StoreError> = steps.watch(task).await;
    done.unwrap();
    assert_eq!(steps.take(), [ONE, TWO, ONE]);
    let unwatched: Result<(), StoreError> = db.read(one).await;
    unwatched.unwrap();
    assert_eq!(steps.take(), [""; 0]);
    let failed: Result<(), StoreError> = steps
        .watch(db.read(|conn| {
            one(conn)?;
            Err(StoreError::Busy)
        }))
        .await;
    assert!(matches!(failed, Err(StoreError::Busy)));
    assert_eq!(steps.take(), [ONE]);
}
