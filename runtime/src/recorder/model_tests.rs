//! Every short life of two traces, compared with a model of them.
//!
//! ```text
//! all sequences of a few operations ─► world: a recorder, its handles, two threads' pools ─┐
//!                                  └─► model: which spans are open, ended, handed over ────┴─► equal?
//! ```
//! The sequences come shortest first, so the one that fails first is as short as can be. What is checked after an operation is
//! checked once, where the operation is the last one.

mod world;

use self::world::World;

/// How the application holds its spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As the API's span.
    Span,
    /// As a `Context`, which is all that is kept.
    Context,
    /// As the macros and the middleware do: the span goes as it ends.
    RunScope,
}

/// Where an operation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    A,
    B,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    /// Starts a trace. Another handle of the span is kept, or not.
    Root {
        kept: bool,
        on: Place,
    },
    /// Starts a child of that span, which may have ended.
    Child {
        of: usize,
        kept: bool,
        on: Place,
    },
    /// Ends a span, whose handle stays.
    End(usize, Place),
    /// Drops the handle of a span, which ends it.
    Drop(usize, Place),
    /// Drops the other handle of a span.
    Forget(usize, Place),
    /// The export thread looks for spans that have waited for long: all of them have.
    Sweep,
    /// The export thread takes all that waits.
    Flush,
    Close,
    /// A thread ends, with what it has pooled. Another one takes its place.
    ThreadEnds(Place),
    /// Something else takes all memory.
    Starve,
    /// It gives the memory back.
    Relieve,
}

/// What is enumerated.
#[derive(Debug, Clone, Copy)]
struct Plan {
    style: Style,
    /// How many recorders there are: each has its traces in the same threads.
    recorders: usize,
    /// Whether roots have a tag that their descendants inherit.
    tagged: bool,
    starves: bool,
    /// Whether traces are decided when they are over. They are kept.
    undecided: bool,
    /// Whether threads are real: B then is another one for each operation.
    real: bool,
    depth: usize,
}

const TRACES: usize = 2;
const SPANS: usize = 4;

impl Plan {
    fn new(style: Style) -> Self {
        Self {
            style,
            recorders: 1,
            tagged: false,
            starves: false,
            undecided: false,
            real: false,
            depth: depth(),
        }
    }

    /// Runs all sequences.
    fn run(self) {
        let mut sequences = vec![Vec::new()];
        let mut run = 0;
        for length in 0..=self.depth {
            let mut longer = Vec::new();
            for sequence in &sequences {
                let model = self.check(sequence);
                run += 1;
                if length < self.depth {
                    model.next(self, |op| longer.push([&sequence[..], &[op]].concat()));
                }
            }
            sequences = longer;
        }
        println!("{run} sequences of at most {} operations", self.depth);
    }

    /// Runs one sequence on a recorder and on the model. Returns the model.
    fn check(self, sequence: &[Op]) -> Model {
        let _told = Told(self, sequence);
        let (mut world, mut model) = (World::new(self), Model::default());
        for op in sequence {
            let is_recorded = world.apply(*op);
            model.apply(self, *op, is_recorded);
        }
        world.assert_is_as(&model);
        let mut last = model.clone();
        last.finish();
        world.finish(&last);
        model
    }
}

/// Five operations take seconds in a debug build, and six in a release one.
fn depth() -> usize {
    let asked = std::env::var("BIZTRACE_MODEL_DEPTH").ok();
    let asked = asked.map(|depth| depth.parse().expect("a number of operations"));
    asked.unwrap_or(if cfg!(debug_assertions) { 5 } else { 6 })
}

/// Prints the sequence that fails.
struct Told<'a>(Plan, &'a [Op]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}\nfails after {:?}", self.0, self.1);
        }
    }
}

/// What is to be true of a recorder.
#[derive(Debug, Clone, Default)]
struct Model {
    spans: Vec<Span>,
    traces: usize,
    is_closed: bool,
    is_starved: bool,
    /// Whether a thread may have pooled something.
    has_pooled: [bool; 2],
}

#[derive(Debug, Clone)]
struct Span {
    trace: usize,
    parent: Option<usize>,
    /// Not, if memory was short.
    is_recorded: bool,
    is_held: bool,
    is_kept: bool,
    is_open: bool,
    has_arrived: bool,
}

impl Span {
    /// Whether the span has ended and waits for others.
    fn is_waiting(&self) -> bool {
        self.is_recorded && !self.is_open && !self.has_arrived
    }
}

impl Model {
    /// The operations that may come next, but those that do the same as others.
    fn next(&self, plan: Plan, mut add: impl FnMut(Op)) {
        // Only the first span of a trace takes from a thread's pools, and only the last one gives to them.
        let places = |touches_pools: bool| -> &[Place] {
            if touches_pools || plan.real {
                &[Place::A, Place::B]
            } else {
                &[Place::A]
            }
        };
        // A `Context` is its own clone.
        let keeps: &[bool] = match plan.style {
            Style::Context => &[false],
            Style::Span | Style::RunScope => &[false, true],
        };
        if !self.is_closed && self.spans.len() < SPANS {
            for &kept in keeps {
                // The threads are alike.
                let threads = if self.spans.is_empty() { 1 } else { 2 };
                let room = TRACES - self.traces;
                for &on in places(true).iter().take(threads.min(2 * room)) {
                    add(Op::Root { kept, on });
                }
                for (of, span) in self.spans.iter().enumerate() {
                    let is_late = self.open_in(span.trace) == 0;
                    let has_handle = span.is_held || span.is_kept;
                    for &on in places(is_late).iter().filter(|_| has_handle) {
                        add(Op::Child { of, kept, on });
                    }
                }
            }
        }
        for (i, span) in self.spans.iter().enumerate() {
            let is_last = span.is_open && self.open_in(span.trace) == 1;
            for &on in places(is_last) {
                if span.is_open {
                    add(Op::End(i, on));
                }
                if span.is_held {
                    add(Op::Drop(i, on));
                }
            }
            // While the first handle is there the second one makes no difference.
            if span.is_kept && !span.is_held {
                places(false).iter().for_each(|on| add(Op::Forget(i, *on)));
            }
        }
        if self.waiting() > 0 {
            add(Op::Sweep);
            add(Op::Flush);
        }
        if !self.is_closed && !self.spans.is_empty() {
            add(Op::Close);
        }
        for place in [Place::A, Place::B] {
            if self.has_pooled[place as usize] && !plan.real {
                add(Op::ThreadEnds(place));
            }
        }
        if plan.starves {
            add(if self.is_starved {
                Op::Relieve
            } else {
                Op::Starve
            });
        }
    }

    fn apply(&mut self, plan: Plan, op: Op, is_recorded: bool) {
        match op {
            Op::Root { kept, .. } => {
                self.start(self.traces, None, kept, is_recorded);
                self.traces += 1;
            }
            Op::Child { of, kept, .. } => {
                self.start(self.spans[of].trace, Some(of), kept, is_recorded);
            }
            Op::End(span, on) => {
                self.spans[span].is_held &= plan.style != Style::RunScope;
                self.end(plan, span, on);
            }
            Op::Drop(span, on) => {
                self.spans[span].is_held = false;
                self.end(plan, span, on);
            }
            Op::Forget(span, _) => self.spans[span].is_kept = false,
            Op::Sweep | Op::Flush => self.arrive(|_| true),
            Op::Close => self.is_closed = true,
            Op::ThreadEnds(place) => self.has_pooled[place as usize] = false,
            Op::Starve => self.is_starved = true,
            Op::Relieve => self.is_starved = false,
        }
    }

    fn start(&mut self, trace: usize, parent: Option<usize>, is_kept: bool, is_recorded: bool) {
        assert!(is_recorded || self.is_starved, "the span is recorded");
        self.spans.push(Span {
            trace,
            parent,
            is_recorded,
            is_held: is_recorded,
            is_kept: is_kept && is_recorded,
            is_open: is_recorded,
            has_arrived: false,
        });
    }

    fn end(&mut self, plan: Plan, span: usize, on: Place) {
        let trace = self.spans[span].trace;
        if !std::mem::take(&mut self.spans[span].is_open) {
            return;
        }
        let is_last = self.open_in(trace) == 0;
        self.has_pooled[on as usize] |= is_last;
        // The verdict on a trace is that on all that comes later.
        let mut of_trace = self.spans.iter().filter(|span| span.trace == trace);
        let is_decided = plan.undecided && of_trace.any(|span| span.has_arrived);
        if is_last || is_decided {
            self.arrive(|span| span.trace == trace);
        }
    }

    /// What has ended arrives.
    fn arrive(&mut self, which: impl Fn(&Span) -> bool) {
        for span in &mut self.spans {
            span.has_arrived |= span.is_recorded && !span.is_open && which(span);
        }
    }

    /// All handles go.
    fn finish(&mut self) {
        for span in &mut self.spans {
            (span.is_open, span.is_held, span.is_kept) = (false, false, false);
        }
        self.has_pooled = [false; 2];
        self.arrive(|_| true);
    }

    fn open_in(&self, trace: usize) -> usize {
        let spans = self.spans.iter();
        spans
            .filter(|span| span.trace == trace && span.is_open)
            .count()
    }

    fn waiting(&self) -> usize {
        let spans = self.spans.iter();
        spans.filter(|span| span.is_waiting()).count()
    }
}

#[test]
fn spans_of_the_api_arrive_once_in_their_traces() {
    Plan::new(Style::Span).run();
}

#[test]
fn spans_in_contexts_arrive_once_in_their_traces() {
    let plan = Plan::new(Style::Context);
    Plan {
        depth: plan.depth + 1,
        ..plan
    }
    .run();
}

#[test]
fn spans_of_macros_arrive_once_in_their_traces() {
    Plan::new(Style::RunScope).run();
}

#[test]
fn spans_of_traces_that_are_decided_late_arrive_once() {
    for style in [Style::Span, Style::RunScope] {
        Plan {
            undecided: true,
            ..Plan::new(style)
        }
        .run();
    }
}

#[test]
fn late_spans_inherit_from_their_own_trace_only() {
    Plan {
        tagged: true,
        ..Plan::new(Style::Span)
    }
    .run();
}

#[test]
fn two_recorders_share_threads_and_mix_no_spans() {
    Plan {
        recorders: 2,
        ..Plan::new(Style::Span)
    }
    .run();
}

#[test]
fn spans_are_recorded_once_or_refused_while_memory_is_short() {
    for tagged in [false, true] {
        Plan {
            starves: true,
            tagged,
            ..Plan::new(Style::Span)
        }
        .run();
    }
}

#[test]
fn threads_that_end_lose_no_span() {
    for style in [Style::Span, Style::RunScope] {
        Plan {
            real: true,
            depth: 4,
            ..Plan::new(style)
        }
        .run();
    }
}
