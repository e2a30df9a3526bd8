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
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

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

/// Says what is active: to those who listen, to the first who listens soon, or else on stderr.
pub(crate) fn summary(message: fmt::Arguments<'_>) {
    if is_heard() {
        return info(message);
    }
    let _ = queue().try_send(Word::Summary(message.to_string()));
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

/// Whether somebody listens to what this thread says.
fn is_heard() -> bool {
    if dispatcher::has_been_set() {
        return dispatcher::get_default(|it| !it.is::<NoSubscriber>());
    }
    log::max_level() != log::LevelFilter::Off
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
    /// It waits for somebody to listen.
    Summary(String),
    /// Nothing is ever sent: what came before has been said when this is gone, but for a summary that waits.
    Said { _said: mpsc::Sender<()> },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum To {
    Warning,
    Information,
    Stderr,
}

/// What is still to be said. More than that is left out: somebody is stuck.
const QUEUED: usize = 64;

static QUEUE: OnceLock<SyncSender<Word>> = OnceLock::new();

fn queue() -> &'static SyncSender<Word> {
    QUEUE.get_or_init(|| {
        let (queue, words) = mpsc::sync_channel(QUEUED);
        // Where the system gives no thread, nothing is said.
        let _ = thread::Builder::new()
            .name("biztrace-log".into())
            .spawn(move || speak(&words));
        queue
    })
}

fn say(to: To, message: fmt::Arguments<'_>) {
    let listener = dispatcher::has_been_set().then(|| dispatcher::get_default(Dispatch::clone));
    // On a muted thread there is none: whoever listens to the process has it.
    let listener = listener.filter(|it| !it.is::<NoSubscriber>());
    let _ = queue().try_send(Word::Message {
        to,
        text: message.to_string(),
        listener,
    });
}

fn speak(words: &Receiver<Word>) {
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    let mut waiting: Option<Summary> = None;
    loop {
        let word = match &waiting {
            None => words.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => words.recv_timeout(LOOK_EVERY),
        };
        let word = match word {
            Ok(Word::Summary(text)) => {
                waiting = Some(Summary {
                    text,
                    until: Instant::now() + TO_APPEAR,
                });
                None
            }
            Ok(word) => Some(word),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        waiting = waiting.and_then(|it| it.tell_if_due(Instant::now(), is_heard()));
        if let Some(Word::Message { to, text, listener }) = word {
            guarded(|| match listener {
                Some(listener) => dispatcher::with_default(&listener, || to.tell(&text)),
                None => to.tell(&text),
            });
        }
    }
}

/// How long a summary waits for somebody to listen.
const TO_APPEAR: Duration = Duration::from_secs(5);

/// How often the thread looks for a listener meanwhile. Neither `tracing` nor `log` tells of one.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is active, which nobody has heard yet.
struct Summary {
    text: String,
    until: Instant,
}

impl Summary {
    /// Returns it if it waits on.
    fn tell_if_due(self, now: Instant, is_heard: bool) -> Option<Self> {
        match self.due(now, is_heard) {
            Some(to) => {
                guarded(|| to.tell(&self.text));
                None
            }
            None => Some(self),
        }
    }

    /// Where to say it now.
    fn due(&self, now: Instant, is_heard: bool) -> Option<To> {
        match is_heard {
            true => Some(To::Information),
            false if now >= self.until => Some(To::Stderr),
            false => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_waits_five_seconds_for_a_listener() {
        let start = Instant::now();
        let summary = Summary {
            text: String::new(),
            until: start + TO_APPEAR,
        };
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for (milliseconds, is_heard, expected) in [
            (0, false, None),
            (0, true, Some(To::Information)),
            (4_999, false, None),
            (4_999, true, Some(To::Information)),
            (5_000, false, Some(To::Stderr)),
            (5_000, true, Some(To::Information)),
        ] {
            assert_eq!(summary.due(at(milliseconds), is_heard), expected);
        }
    }
}
