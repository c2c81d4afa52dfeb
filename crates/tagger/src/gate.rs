//! Bounded memory with ordered output: who may read on.

use std::sync::{Condvar, Mutex, PoisonError};

/// Lets batches into the work, a limited number at a time, but never holds up the input that the writer waits for: without
/// that exception, later inputs could take every place, and the first would wait for them while they wait for it.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The input that the writer is at.
    current: usize,
    /// Batches that have been let in and not been written yet.
    inside: usize,
    /// Nobody waits any more.
    open: bool,
}

impl Gate {
    /// A gate for about `limit` batches.
    pub(crate) fn new(limit: usize) -> Gate {
        Gate {
            state: Mutex::default(),
            changed: Condvar::new(),
            limit,
        }
    }

    /// Waits until a batch of `input` may come in.
    pub(crate) fn enter(&self, input: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The current input may fill the gate twice over, but not the memory.
        let may_enter = |state: &State| {
            let limit = if input == state.current {
                2 * self.limit
            } else {
                self.limit
            };
            state.open || state.inside < limit
        };
        let mut state = self
            .changed
            .wait_while(state, |state| !may_enter(state))
            .unwrap_or_else(PoisonError::into_inner);
        state.inside += 1;
    }

    /// A batch has been written.
    pub(crate) fn leave(&self) {
        self.update(|state| state.inside -= 1);
    }

    /// The writer has come to `input`.
    pub(crate) fn advance(&self, input: usize) {
        self.update(|state| state.current = input);
    }

    /// Lets everybody in, since what comes is thrown away.
    pub(crate) fn open(&self) {
        self.update(|state| state.open = true);
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}
