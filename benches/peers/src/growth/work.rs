//! What the libraries have in common.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::task::JoinHandle;

use super::case::Operation;

/// An operation whose future runs on a runtime with two threads, beside that of the caller.
pub(super) fn on_threads<F: Future<Output = ()>>(operation: impl Fn() -> F + 'static) -> Operation {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("threads can be started");
    Box::new(move || runtime.block_on(operation()))
}

pub(super) async fn join(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.await.expect("tasks do not panic");
    }
}

/// Is done when it is polled a second time.
pub(super) async fn pause() {
    let mut paused = false;
    poll_fn(|_| match std::mem::replace(&mut paused, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// Futures that have been polled once, each.
pub(super) struct Ring<F, M> {
    futures: VecDeque<Pin<Box<F>>>,
    make: M,
}

impl<F: Future<Output = ()>, M: Fn() -> F> Ring<F, M> {
    pub(super) fn new(size: usize, make: M) -> Self {
        let mut ring = Self {
            futures: VecDeque::with_capacity(size + 1),
            make,
        };
        (0..size).for_each(|_| ring.begin());
        ring
    }

    /// Ends the oldest and begins another.
    pub(super) fn turn(&mut self) {
        if let Some(mut oldest) = self.futures.pop_front() {
            let end = poll_once(&mut oldest);
            debug_assert!(end.is_ready());
        }
        self.begin();
    }

    fn begin(&mut self) {
        let mut future = Box::pin((self.make)());
        let end = poll_once(&mut future);
        debug_assert!(end.is_pending());
        self.futures.push_back(future);
    }
}

fn poll_once(future: &mut Pin<Box<impl Future<Output = ()>>>) -> Poll<()> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}
