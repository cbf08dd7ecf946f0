//! A unit of work on its way through a writer: run inside a transaction, told its outcome after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::conn::Tx;
use super::error::StoreError;

/// What a writer knows of a unit of work.
pub(crate) trait Unit: Send {
    /// Runs the work. `true`: keep its changes. May be called again after a transaction that was rolled back.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Whether a run failed in a way that PostgreSQL asks to repeat.
    fn wants_rerun(&self) -> bool;
    /// Tells the caller: its own result, or why the transaction around it failed.
    fn finish(self: Box<Self>, commit: Result<(), StoreError>);
}

pub(crate) struct Work<T, E, F> {
    work: F,
    outcome: Option<Result<T, E>>,
    rerun: bool,
    reply: oneshot::Sender<Result<T, E>>,
}

/// An error that may carry one of the store, so that the engine can see whether to run the unit again.
pub trait UnitError: From<StoreError> + Send + 'static {
    /// The store's error inside, if there is one.
    fn store(&self) -> Option<&StoreError>;
}

impl UnitError for StoreError {
    fn store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl<T, E, F> Work<T, E, F>
where
    T: Send + 'static,
    E: UnitError,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    /// The unit, and where its outcome will arrive.
    pub(crate) fn boxed(work: F) -> (Box<dyn Unit>, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (
            Box::new(Self {
                work,
                outcome: None,
                rerun: false,
                reply,
            }),
            answer,
        )
    }
}

impl<T, E, F> Unit for Work<T, E, F>
where
    T: Send + 'static,
    E: UnitError,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // The unit's captured state may be half-changed after a panic, but it is only dropped afterwards.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
        self.rerun =
            matches!(&outcome, Err(error) if error.store().is_some_and(StoreError::is_serialization_failure));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn wants_rerun(&self) -> bool {
        self.rerun
    }

    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let outcome = match (self.outcome, commit) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(commit)) => Err(commit.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed.into()),
        };
        // A caller that went away (client gone, request timed out) needs no answer: what was committed stays.
        drop(self.reply.send(outcome));
    }
}
