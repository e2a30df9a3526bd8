//! What a thread keeps for its next traces.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::LocalKey;

use super::cells::Cell;

/// Traces, or cells, that a thread reuses. Handles of earlier traces may still refer to a cell and outlive the thread, so that a cell
/// which is not reused gives its memory back.
pub(super) struct Pool<T: AsRef<Cell>>(Vec<Arc<T>>);

/// Items of a pool.
const MAX_POOLED: usize = 128;

impl<T: AsRef<Cell>> Pool<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes an item that this thread has kept.
    #[inline]
    pub(super) fn take(pool: &'static LocalKey<RefCell<Self>>) -> Option<Arc<T>> {
        pool.try_with(|pool| pool.borrow_mut().0.pop()).ok()?
    }

    /// Keeps `item` for this thread's next trace, or frees its memory.
    #[inline]
    pub(super) fn keep(pool: &'static LocalKey<RefCell<Self>>, item: &Arc<T>) {
        let cell = T::as_ref(item);
        let is_kept = cell.lock().trim()
            && pool
                .try_with(|pool| pool.borrow_mut().push(item))
                .unwrap_or(false);
        if !is_kept {
            cell.lock().free();
        }
    }

    /// Returns whether there was room.
    fn push(&mut self, item: &Arc<T>) -> bool {
        let has_room = self.0.len() < MAX_POOLED;
        if has_room {
            self.0.push(Arc::clone(item));
        }
        has_room
    }
}

impl<T: AsRef<Cell>> Drop for Pool<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(|item| T::as_ref(item).lock().free());
    }
}
