//! The examples of docs/guide, compiled: `cargo test -p guide --doc`.

#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/guide/annotating.md")]
    struct Annotating;

    #[doc = include_str!("../../../docs/guide/propagation.md")]
    struct Propagation;

    #[doc = include_str!("../../../docs/guide/sampling.md")]
    struct Sampling;

    #[doc = include_str!("../../../docs/guide/exporting.md")]
    struct Exporting;

    #[doc = include_str!("../../../docs/guide/cancellation.md")]
    struct Cancellation;

    #[doc = include_str!("../../../docs/guide/coming-from.md")]
    struct ComingFrom;
}
