//! The cells that traces record in.
//!
//! A cell outlives its trace: it goes back to the thread, and the next trace takes it. So there are as many cells as traces were
//! open at once, and new ones are seldom made. The recorder knows all of them. There the export thread finds ended spans that wait
//! for open ones.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::heads::{Copies, Heads};
use super::memory::{MemoryBudget, Reservation};
use super::state::State;

/// All cells of a recorder.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) memory: Arc<MemoryBudget>,
    /// What bounds the copies of requests' heads.
    pub(super) heads: Heads,
    known: Mutex<Known>,
    sweep: Mutex<()>,
}

#[derive(Debug)]
struct Known {
    cells: Vec<Weak<Cell>>,
    /// How many there may be before cells that no longer exist are forgotten.
    forget_at: usize,
}

const FORGET_AT_LEAST: usize = 256;

/// What one trace at a time records in.
pub(super) struct Cell {
    of: Arc<Cells>,
    state: Mutex<State>,
}

/// Not what is recorded.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}

impl Cells {
    pub(super) fn new(memory: Arc<MemoryBudget>) -> Self {
        Self {
            heads: Heads::new(&memory),
            memory,
            known: Mutex::new(Known {
                cells: Vec::new(),
                forget_at: FORGET_AT_LEAST,
            }),
            sweep: Mutex::default(),
        }
    }

    pub(super) fn new_cell(self: &Arc<Self>) -> Arc<Cell> {
        let cell = Arc::new(Cell {
            of: Arc::clone(self),
            state: Mutex::new(State::new(
                Reservation::new(&self.memory),
                Copies::new(&self.heads),
            )),
        });
        let mut known = self.known();
        if known.cells.len() >= known.forget_at {
            known.forget();
        }
        known.cells.push(Arc::downgrade(&cell));
        cell
    }

    /// The cells that exist.
    pub(super) fn all(&self) -> Vec<Arc<Cell>> {
        let mut known = self.known();
        let all: Vec<_> = known.cells.iter().filter_map(Weak::upgrade).collect();
        if all.len() < known.cells.len() {
            known.forget();
        }
        all
    }

    /// Locks the sweep: one thread at a time goes through the cells.
    pub(super) fn sweep(&self) -> MutexGuard<'_, ()> {
        self.sweep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Forgets cells that no longer exist: a weak reference keeps their memory.
    fn forget(&mut self) {
        self.cells.retain(|cell| cell.strong_count() > 0);
        self.forget_at = FORGET_AT_LEAST.max(2 * self.cells.len());
        self.cells.shrink_to(self.forget_at);
    }
}

impl Cell {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock, so a panic there is a bug here; what is recorded stays whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_of(&self, cells: &Arc<Cells>) -> bool {
        Arc::ptr_eq(&self.of, cells)
    }
}

impl AsRef<Self> for Cell {
    fn as_ref(&self) -> &Self {
        self
    }
}
