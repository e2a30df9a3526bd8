//! What biztrace says about itself: to `tracing`, to `log` if no subscriber is set, and to stderr if there is no logger
//! either, so that no warning is lost.
//!
//! A dedicated thread writes it. A subscriber may panic, or block, as a pipe does that nobody reads: neither may harm a request
//! or an export thread.

use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use opentelemetry::Context;
use tracing::Dispatch;
use tracing::dispatcher::{self, DefaultGuard};
use tracing::subscriber::NoSubscriber;

/// Says what is wrong, and what to do about it.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    say(To::Warning, message);
}

/// Says what is going on, to those who listen.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    say(To::Information, message);
}

/// Says it on stderr, whoever listens.
pub(crate) fn to_stderr(message: fmt::Arguments<'_>) {
    say(To::Stderr, message);
}

/// Returns when all has been said, or after [`TO_SAY`]: for those after whom the process may end.
pub(crate) fn settle() {
    if let Some(queue) = QUEUE.get() {
        let (said, wait) = mpsc::channel();
        if queue.try_send(Word::Said { _said: said }).is_ok() {
            let _ = wait.recv_timeout(TO_SAY);
        }
    }
}

/// How long [`settle`] waits at the most.
const TO_SAY: Duration = Duration::from_millis(500);

/// Runs what tells the listeners of something, whose panics stop here.
pub(crate) fn guarded(tell: impl FnOnce()) {
    // The panic's hook has told of it.
    let _ = catch_unwind(AssertUnwindSafe(tell));
}

/// While this lives, `tracing` receives nothing from this thread.
pub(crate) struct Muted(#[expect(dead_code, reason = "it is for its drop")] DefaultGuard);

impl Muted {
    /// `None` without a subscriber in the process: even a no-op subscriber disables the `log` fallback of `tracing` for good.
    pub(crate) fn new() -> Option<Self> {
        dispatcher::has_been_set().then(|| Self(dispatcher::set_default(&Dispatch::none())))
    }
}

/// Whether `tracing` or `log` is set up.
pub(crate) fn has_listener() -> bool {
    dispatcher::has_been_set() || log::max_level() != log::LevelFilter::Off
}

/// Something to be said once.
///
/// Not a [`std::sync::Once`], which holds up those who come while it runs.
#[derive(Debug)]
pub(crate) struct Once(AtomicBool);

impl Once {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    pub(crate) fn warn(&self, message: fmt::Arguments<'_>) {
        if !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed) {
            warn(message);
        }
    }
}

enum Word {
    Message {
        to: To,
        text: String,
        /// Who listens by `tracing` on the thread that has something to say.
        listener: Option<Dispatch>,
    },
    /// Nothing is ever sent: what came before has been said when this is gone.
    Said { _said: mpsc::Sender<()> },
}

#[derive(Clone, Copy)]
enum To {
    Warning,
    Information,
    Stderr,
}

/// What is still to be said. More than that is left out: somebody is stuck.
const QUEUED: usize = 64;

static QUEUE: OnceLock<SyncSender<Word>> = OnceLock::new();

fn say(to: To, message: fmt::Arguments<'_>) {
    let queue = QUEUE.get_or_init(|| {
        let (queue, words) = mpsc::sync_channel(QUEUED);
        // Where the system gives no thread, nothing is said.
        let _ = thread::Builder::new()
            .name("biztrace-log".into())
            .spawn(move || speak(&words));
        queue
    });
    let listener = dispatcher::has_been_set().then(|| dispatcher::get_default(Dispatch::clone));
    // On a muted thread there is none: whoever listens to the process has it.
    let listener = listener.filter(|it| !it.is::<NoSubscriber>());
    let _ = queue.try_send(Word::Message {
        to,
        text: message.to_string(),
        listener,
    });
}

fn speak(words: &Receiver<Word>) {
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    for word in words {
        if let Word::Message { to, text, listener } = word {
            guarded(|| match listener {
                Some(listener) => dispatcher::with_default(&listener, || to.tell(&text)),
                None => to.tell(&text),
            });
        }
    }
}

impl To {
    fn tell(self, text: &str) {
        match self {
            Self::Warning if has_listener() => tracing::warn!(target: "biztrace", "{text}"),
            Self::Information => tracing::info!(target: "biztrace", "{text}"),
            Self::Warning | Self::Stderr => {
                // One that takes nothing, as on a disk that is full, is no reason for a service to fail.
                let _ = io::stderr().write_all(format!("biztrace: {text}\n").as_bytes());
            }
        }
    }
}
