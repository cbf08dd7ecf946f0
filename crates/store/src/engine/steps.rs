//! Which statements a task has the database run: by it tests see that two requests take the same steps.

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::Mutex;

use super::conn::{Conn, Tx};

tokio::task_local! {
    static WATCHED: Steps;
}

thread_local! {
    /// Whose work runs on this thread now.
    static HERE: RefCell<Option<Steps>> = const { RefCell::new(None) };
}

/// The statements that a task has had run, in order. A unit of work that was run again counts once.
#[derive(Clone, Debug, Default)]
pub struct Steps(Arc<Mutex<Vec<String>>>);

impl Steps {
    /// Runs a task and notes the statements of everything that it reads and writes itself. What it spawns is not noted.
    pub async fn watch<F: Future>(&self, task: F) -> F::Output {
        WATCHED.scope(self.clone(), task).await
    }

    /// What was noted since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }

    /// The steps of the task that this is called from, if it is watched.
    fn of_task() -> Option<Self> {
        WATCHED.try_with(Clone::clone).ok()
    }

    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let _left = Left(HERE.replace(Some(self.clone())));
        work()
    }
}

/// Whose work ran here before; it goes on when this is dropped, after a panic too.
struct Left(Option<Steps>);

impl Drop for Left {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

/// Has a read noted, if its task is watched.
pub(crate) fn noted_read<T>(
    read: impl FnOnce(&mut Conn<'_>) -> T + Send + 'static,
) -> impl FnOnce(&mut Conn<'_>) -> T + Send + 'static {
    let steps = Steps::of_task();
    move |conn| match steps {
        Some(steps) => steps.during(|| read(conn)),
        None => read(conn),
    }
}

/// Has a unit of work noted, if its task is watched.
pub(crate) fn noted_unit<T>(
    mut work: impl FnMut(&mut Tx<'_>) -> T + Send + 'static,
) -> impl FnMut(&mut Tx<'_>) -> T + Send + 'static {
    let steps = Steps::of_task().map(|steps| {
        let before = steps.0.lock().len();
        (steps, before)
    });
    move |tx| match &steps {
        Some((steps, before)) => {
            steps.0.lock().truncate(*before);
            steps.during(|| work(tx))
        }
        None => work(tx),
    }
}

/// Notes a statement of whoever's work runs on this thread.
pub(crate) fn note(sql: &str) {
    HERE.with_borrow(|steps| {
        if let Some(Steps(all)) = steps {
            all.lock().push(sql.to_owned());
        }
    });
}
