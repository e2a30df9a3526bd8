//! A future or a stream that runs under a span.

use std::pin::Pin;
use std::task::Poll;

use pin_project_lite::pin_project;

use super::run_scope::RunScope;
use super::thread_scope::ScopeGuard;

/// Something to run under.
pub(crate) trait Enter {
    /// Makes it current on this thread until the guard goes. For a synchronous stretch only: a call, one poll.
    fn enter(&mut self) -> Option<ScopeGuard<'_>>;
}

impl Enter for RunScope {
    #[inline]
    fn enter(&mut self) -> Option<ScopeGuard<'_>> {
        self.enter()
    }
}

pin_project! {
    /// Runs under `owner`: every poll, and the drop, whether it is over then or not.
    #[derive(Debug)]
    pub(crate) struct Scoped<T, O>
    where
        O: Enter,
    {
        #[pin]
        inner: Option<T>,
        owner: O,
    }

    impl<T, O> PinnedDrop for Scoped<T, O>
    where
        O: Enter,
    {
        fn drop(this: Pin<&mut Self>) {
            this.finish();
        }
    }
}

impl<T, O: Enter> Scoped<T, O> {
    pub(crate) fn new(inner: T, owner: O) -> Self {
        Self {
            inner: Some(inner),
            owner,
        }
    }

    /// Nothing yet: [`start`](Self::start) makes it.
    pub(crate) fn unstarted(owner: O) -> Self {
        Self { inner: None, owner }
    }

    /// Makes under the owner what is to run.
    pub(crate) fn start(&mut self, make: impl FnOnce() -> T) {
        let entered = self.owner.enter();
        let inner = make();
        drop(entered);
        self.inner = Some(inner);
    }

    pub(crate) fn owner(self: Pin<&mut Self>) -> &mut O {
        self.project().owner
    }

    pub(crate) fn owner_mut(&mut self) -> &mut O {
        &mut self.owner
    }

    pub(crate) fn inner(&self) -> Option<&T> {
        self.inner.as_ref()
    }

    /// Drops it outside of the scope: its drop runs nobody's code.
    pub(crate) fn clear(self: Pin<&mut Self>) {
        self.project().inner.set(None);
    }

    pub(crate) fn inner_mut(self: Pin<&mut Self>) -> Option<Pin<&mut T>> {
        self.project().inner.as_pin_mut()
    }

    /// Polls it by `poll`. It is over, and dropped, when `is_last` says so of what comes out. `None` if it was over before.
    #[inline]
    pub(crate) fn poll<R>(
        self: Pin<&mut Self>,
        poll: impl FnOnce(Pin<&mut T>) -> Poll<R>,
        is_last: impl FnOnce(&R) -> bool,
    ) -> Option<Poll<R>> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut()?;
        let _entered = this.owner.enter();
        let result = poll(inner);
        if let Poll::Ready(result) = &result
            && is_last(result)
        {
            this.inner.set(None);
        }
        Some(result)
    }

    /// Drops what is not over.
    #[inline]
    pub(crate) fn finish(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.inner.is_some() {
            let _entered = this.owner.enter();
            this.inner.set(None);
        }
    }
}
