//! How the work under a span ended, and what the status of an HTTP response says of that.

/// How the work under a span came to its end: what the span is told, and whatever else counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// The caller made a mistake (4xx).
    ClientError,
    /// The server failed (5xx).
    ServerError,
    /// It failed, with an error of that type.
    Failed(&'static str),
    /// Its future was dropped before it was done, which is no error.
    Cancelled,
    Panicked,
    /// It took longer than it may.
    TimedOut,
}

/// The two sides of a request. They judge a status differently ("Status" of the HTTP semantic conventions):
///
/// | status | at the server | an error | at the client | an error |
/// |---|---|---|---|---|
/// | below 400 | ok | | ok | |
/// | 408 | timed out | | client error | yes |
/// | other 4xx | client error | | client error | yes |
/// | 504 | timed out | yes | server error | yes |
/// | other 5xx | server error | yes | server error | yes |
/// | 600 and above | ok | | server error | yes |
///
/// A server that answers 408 or 504 says that time ran out for this request. A client that gets such a response got it in time: its
/// span is timed out only if no response comes. A client takes a status that it does not know for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    #[cfg_attr(
        not(any(feature = "awc", feature = "reqwest")),
        allow(dead_code, reason = "clients judge by it")
    )]
    Client,
}

impl Side {
    /// How a request with a response of that status ended.
    #[inline]
    pub(crate) fn outcome(self, status: u16) -> Outcome {
        match (self, status) {
            (_, ..400) => Outcome::Ok,
            (Self::Server, 408 | 504) => Outcome::TimedOut,
            (_, 400..500) => Outcome::ClientError,
            (_, 500..600) | (Self::Client, 600..) => Outcome::ServerError,
            (Self::Server, 600..) => Outcome::Ok,
        }
    }

    /// Whether a response of that status is an error.
    #[inline]
    pub(crate) fn is_error(self, status: u16) -> bool {
        match self {
            Self::Server => (500..600).contains(&status),
            Self::Client => status >= 400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_judges_a_status_as_the_table_says() {
        use Outcome::{ClientError, Ok, ServerError, TimedOut};

        for (status, at_server, at_client) in [
            (100, (Ok, false), (Ok, false)),
            (200, (Ok, false), (Ok, false)),
            (399, (Ok, false), (Ok, false)),
            (400, (ClientError, false), (ClientError, true)),
            (408, (TimedOut, false), (ClientError, true)),
            (499, (ClientError, false), (ClientError, true)),
            (500, (ServerError, true), (ServerError, true)),
            (504, (TimedOut, true), (ServerError, true)),
            (599, (ServerError, true), (ServerError, true)),
            (600, (Ok, false), (ServerError, true)),
        ] {
            for (side, expected) in [(Side::Server, at_server), (Side::Client, at_client)] {
                let judged = (side.outcome(status), side.is_error(status));
                assert_eq!(judged, expected, "{status}, {side:?}");
            }
        }
    }
}
