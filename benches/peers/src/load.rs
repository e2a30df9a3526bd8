//! The load generator: one thread that sends the service's request over connections that stay open.
//!
//! Sockets and `ppoll` by hand, since it must be cheaper than any service that it measures, and since the timers of
//! async runtimes, a millisecond apart, are coarser than what is to be seen.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::http::Reader;

const BODY: &str = r#"{"sku":"tea-oolong","quantity":3,"amount":38.7,"express":true}"#;

/// A service that has said nothing for so long will not say anything anymore.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    /// The service's address, as in 127.0.0.1:8080
    pub(crate) service: SocketAddr,
    /// Requests to send
    #[arg(long)]
    pub(crate) requests: u64,
    /// Connections to send them over
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// Requests that fall due in a second, whether earlier ones are answered or not; without it, each connection sends
    /// its next request when it has its answer
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Microseconds that a connection waits after each answer, where there is no rate
    #[arg(long, default_value_t = 0, conflicts_with = "rate")]
    pub(crate) pause: u64,
}

/// How it went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    /// requests answered in a second
    pub(crate) rate: f64,
    pub(crate) latency: Latency,
}

/// Percentiles of the time from when a request fell due until it was answered, in µs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl From<&Histogram<u64>> for Latency {
    fn from(nanoseconds: &Histogram<u64>) -> Self {
        let at = |quantile| nanoseconds.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
        }
    }
}

/// When requests fall due.
#[derive(Debug)]
struct Schedule {
    start: Instant,
    rate: Option<f64>,
    pause: Duration,
}

impl Schedule {
    /// When request number `index` is due, over a connection that is free since `free_since`.
    fn due(&self, index: u64, free_since: Instant) -> Instant {
        match self.rate {
            Some(rate) => self.start + Duration::from_secs_f64(index as f64 / rate),
            None => free_since + self.pause,
        }
    }
}

/// Sends the requests as [`drive`] does, and prints how that went.
pub(crate) fn load(args: &LoadArgs) -> Result<()> {
    // The kernel delays a timer by up to 50 µs to join it with others, unless it is told not to.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    println!("{}", serde_json::to_string(&drive(args)?)?);
    Ok(())
}

/// Sends the requests.
pub(crate) fn drive(args: &LoadArgs) -> Result<Load> {
    let connect = || connect(args.service);
    let streams = std::iter::repeat_with(connect).take(args.connections);
    let streams: Vec<TcpStream> = streams.collect::<Result<_>>()?;
    let mut ready: Vec<PollFd<'_>> = streams
        .iter()
        .map(|it| PollFd::new(it, PollFlags::IN))
        .collect();
    let mut readers: Vec<Reader> = streams.iter().map(|_| Reader::default()).collect();

    let request = request(args.service);
    let mut latency = Histogram::<u64>::new_with_bounds(1, 100_000_000_000, 3)?;
    let schedule = Schedule {
        start: Instant::now(),
        rate: args.rate,
        pause: Duration::from_micros(args.pause),
    };
    let mut due = vec![schedule.start; streams.len()];
    // Connections that wait for a request, each with the time since when it waits.
    let mut free: VecDeque<(usize, Instant)> = due.iter().copied().enumerate().collect();
    let (mut sent, mut answered) = (0, 0);

    while answered < args.requests {
        // What is due and finds no free connection is sent over the next one; its time has begun all the same.
        let mut next = None;
        while sent < args.requests
            && let Some(&(connection, since)) = free.front()
        {
            let now = Instant::now();
            let then = schedule.due(sent, since);
            if then > now {
                next = Some(then - now);
                break;
            }
            free.pop_front();
            // At a rate, a request that is late has waited since it was due.
            due[connection] = if schedule.rate.is_some() { then } else { now };
            // There is room for it: the connection's last request has been answered.
            (&streams[connection])
                .write_all(&request)
                .context("cannot send a request")?;
            sent += 1;
        }

        let timeout = Timespec::try_from(next.unwrap_or(PATIENCE))?;
        if poll(&mut ready, Some(&timeout))? == 0 && next.is_none() {
            bail!("no answer in {PATIENCE:?}");
        }
        for connection in 0..streams.len() {
            if ready[connection].revents().is_empty() {
                continue;
            }
            let body = readers[connection].read(&mut &streams[connection])?;
            if body.is_some() {
                let now = Instant::now();
                latency.saturating_record((now - due[connection]).as_nanos() as u64);
                free.push_back((connection, now));
                answered += 1;
            }
        }
    }
    Ok(Load {
        requests: answered,
        rate: answered as f64 / schedule.start.elapsed().as_secs_f64(),
        latency: Latency::from(&latency),
    })
}

fn connect(service: SocketAddr) -> Result<TcpStream> {
    let stream =
        TcpStream::connect(service).with_context(|| format!("nobody listens at {service}"))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// The request, as a client of the shop would send it.
fn request(service: SocketAddr) -> Vec<u8> {
    let length = BODY.len();
    format!(
        "POST /orders/42 HTTP/1.1\r\n\
         host: {service}\r\n\
         user-agent: peers-bench/0.1\r\n\
         accept: application/json\r\n\
         content-type: application/json\r\n\
         content-length: {length}\r\n\
         x-tenant-id: acme\r\n\
         \r\n\
         {BODY}"
    )
    .into_bytes()
}
