//! The type that settings hold a sampler by.

use std::fmt::{self, Write as _};
use std::ptr;
use std::sync::Arc;

use super::sample::Sample;
use crate::error::Error;
use crate::thread::Poller;

/// Which traces are recorded, decided when their first span in this process starts.
///
/// The default records every new trace and follows the caller's decision for the others. The samplers are those of the
/// [OpenTelemetry specification][spec], and any [`ShouldSample`](opentelemetry_sdk::trace::ShouldSample) by [`Sampler::new`].
///
/// ```
/// use biztrace::settings::Sampler;
///
/// // One new trace in ten. A trace that began in another service is recorded if it is there.
/// let sampler = Sampler::trace_id_ratio(0.1).parent_based();
/// assert_eq!(sampler.to_string(), "parentbased_traceidratio(0.1)");
/// ```
///
/// Clones share their state, for example what a rate has left. [`fmt::Display`] shows a sampler as `OTEL_TRACES_SAMPLER` names it, with
/// its argument in brackets; a text of more than 1,024 bytes is cut.
///
/// [spec]: https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers
#[derive(Clone)]
pub struct Sampler(Arc<dyn Sample>);

impl Sampler {
    pub(crate) fn of(sample: impl Sample + 'static) -> Self {
        Self(Arc::new(sample))
    }

    pub(crate) fn sample(&self) -> &dyn Sample {
        &*self.0
    }

    /// This sampler and those that it is made of, each once: clones may be parts of several, and those of others.
    pub(crate) fn all(&self) -> Vec<&dyn Sample> {
        let mut all = vec![self.sample()];
        let mut asked = 0;
        while let Some(&sampler) = all.get(asked) {
            for part in sampler.parts() {
                if !all.iter().any(|it| ptr::addr_eq(*it, part)) {
                    all.push(part);
                }
            }
            asked += 1;
        }
        all
    }

    /// Whether each trace that has failed is to be kept beside the others.
    pub(crate) fn keeps_errors(&self) -> bool {
        self.sample().keeps_errors()
    }

    /// Whether every trace is kept, whatever its caller has said: a sampler that asks others asks them below callers.
    pub(crate) fn keeps_all(&self) -> bool {
        self.sample().keeps_all() && self.sample().parts().is_empty()
    }

    /// Refuses settings that cannot work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.all().into_iter().try_for_each(Sample::check)
    }

    /// Starts what keeps it up to date for the service of that name.
    pub(crate) fn start(&self, service: &str, pollers: &mut Vec<Poller>) -> Result<(), Error> {
        let mut all = self.all().into_iter();
        all.try_for_each(|sampler| sampler.start(service, pollers))
    }
}

/// The longest text of a sampler, in bytes. Samplers that are made of clones of one another could have one of any length.
const MAX_TEXT: usize = 1024;

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Cut(String::new());
        let end = match write!(text, "{}", self.0) {
            Ok(()) => "",
            Err(fmt::Error) => "…",
        };
        write!(f, "{}{end}", text.0)
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sampler({self})")
    }
}

/// Text that takes no more when it is full.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.floor_char_boundary(MAX_TEXT - self.0.len());
        self.0.push_str(&text[..end]);
        if end < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
