//! Every short life of two traces, compared with a model of them.
//!
//! ```text
//! all sequences of a few operations ─► world: a recorder, its handles, two threads' pools ─┐
//!                                  └─► model: which spans are open, ended, handed over ────┴─► equal?
//! ```
//! The sequences come shortest first, so the one that fails first is as short as can be. What is checked after an operation is
//! checked once, where the operation is the last one.

mod model;
mod world;

use self::model::Model;
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
    /// Has a span fail that is open.
    Fail(usize),
    /// Ends a span, whose handle stays.
    End(usize, Place),
    /// Drops the handle of a span, which ends it.
    Drop(usize, Place),
    /// Drops the other handle of a span.
    Forget(usize, Place),
    /// The export thread looks for spans that have waited for long: all of them have.
    Sweep,
    /// The export thread takes what is decided.
    Flush,
    /// It takes all that waits, at a shutdown.
    TakeAll,
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
struct Plan<'a> {
    style: Style,
    /// How many recorders there are: each has its traces in the same threads.
    recorders: usize,
    /// Whether roots have a tag that their descendants inherit.
    tagged: bool,
    starves: bool,
    decides: Decides,
    /// Whether a trace has so many spans at most, and is decided when half as many have ended.
    spans_per_trace: Option<usize>,
    /// Whether threads are real: B then is another one for each operation.
    real: bool,
    /// The operations that each sequence begins with.
    begins: &'a [Op],
    /// How many follow.
    depth: usize,
}

/// When it is decided on traces, and which are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decides {
    /// All, when they start.
    AtOnce,
    /// All, when they are over.
    Late,
    /// When they are over, the one that its head has kept, and those that have failed.
    Failed { head: usize },
}

const TRACES: usize = 2;
const SPANS: usize = 4;

impl Plan<'_> {
    fn new(style: Style) -> Self {
        Self {
            style,
            recorders: 1,
            tagged: false,
            starves: false,
            decides: Decides::AtOnce,
            spans_per_trace: None,
            real: false,
            begins: &[],
            depth: depth(),
        }
    }

    /// Runs all sequences.
    fn run(self) {
        let mut sequences = vec![self.begins.to_vec()];
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
        let most = self.begins.len() + self.depth;
        println!("{run} sequences of at most {most} operations");
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
        last.finish(self);
        world.finish(&last);
        model
    }
}

/// Five operations take seconds in a debug build, and six in a release one.
fn depth() -> usize {
    let asked = std::env::var("TEST_MODEL_DEPTH").ok();
    let asked = asked.map(|depth| depth.parse().expect("a number of operations"));
    asked.unwrap_or(if cfg!(debug_assertions) { 5 } else { 6 })
}

/// Prints the sequence that fails.
struct Told<'a>(Plan<'a>, &'a [Op]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}\nfails after {:?}", self.0, self.1);
        }
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
            decides: Decides::Late,
            ..Plan::new(style)
        }
        .run();
    }
}

#[test]
fn traces_that_fail_before_or_after_their_verdict_are_never_mixed() {
    for head in 0..TRACES {
        Plan {
            decides: Decides::Failed { head },
            ..Plan::new(Style::Context)
        }
        .run();
    }
}

/// A trace that has an open span still.
const BEGUN: &[Op] = &[
    Op::Root {
        kept: false,
        on: Place::A,
    },
    Op::Child {
        of: 0,
        kept: false,
        on: Place::A,
    },
    Op::End(1, Place::A),
];

const SECOND_CHILD: Op = Op::Child {
    of: 0,
    kept: false,
    on: Place::A,
};

#[test]
fn spans_that_follow_an_early_verdict_arrive_once() {
    for (style, head) in [(Style::Span, 1), (Style::RunScope, 1), (Style::RunScope, 0)] {
        Plan {
            decides: Decides::Failed { head },
            begins: &[BEGUN, &[Op::TakeAll]].concat(),
            depth: depth() - 2,
            ..Plan::new(style)
        }
        .run();
    }
}

#[test]
fn traces_that_reach_half_of_their_limits_arrive_once() {
    for decides in [Decides::AtOnce, Decides::Late, Decides::Failed { head: 1 }] {
        Plan {
            decides,
            spans_per_trace: Some(3),
            begins: &[BEGUN, &[SECOND_CHILD]].concat(),
            depth: depth() - 2,
            ..Plan::new(Style::RunScope)
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
