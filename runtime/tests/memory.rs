//! Memory stays flat, however long a service runs and whatever its receiver does.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use biztrace::{Telemetry, traced};

#[traced(attrs(order.id = id, order.express = true, customer.name = "somebody with a name of some length"))]
fn request(id: u64) -> u64 {
    query(id)
}

#[traced(kind = "client", attrs(db.system.name = "sqlite", db.query.text = "SELECT 1"))]
fn query(id: u64) -> u64 {
    id + 1
}

/// The process's resident memory, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// The receiver is down: port 9 answers nobody.
#[test]
fn a_million_requests_leave_no_more_behind_than_ten_thousand() {
    let telemetry = Telemetry::builder()
        .otlp("http://127.0.0.1:9")
        .schedule_delay(Duration::from_millis(50))
        .install()
        .unwrap();
    (0..10_000).for_each(|id| assert_eq!(request(id), id + 1));
    let before = resident();
    (0..1_000_000).for_each(|id| assert_eq!(request(id), id + 1));
    let grown = resident().saturating_sub(before);
    let report = telemetry.shutdown_blocking();
    assert_eq!(
        (report.recorded, report.delivered, report.waiting),
        (2_020_000, 0, 0)
    );
    assert_eq!(report.recorded, report.dropped.total());
    assert!(
        grown < 4 * 1024 * 1024,
        "{grown} bytes more than after the first 10,000 requests"
    );
}
