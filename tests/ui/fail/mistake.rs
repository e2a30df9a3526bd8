#![deny(warnings)]

use biztrace::{biz_attrs, tag};
use std::cmp::max;

#[biz_attrs(order.id: max(id, 1))]
fn colon(id: u64) {}

#[biz_attrs(order.id == id)]
fn doubled(id: u64) {}

#[biz_attrs(#[hash] #[hash] order.id = id)]
fn hashed(id: u64) {}

#[biz_attrs(#[ok(n)] order.id = id + n)]
fn moved(id: u64) -> Option<u64> {
    Some(1)
}

#[biz_attrs(order.id = id.)]
async fn half_typed(id: u64) {}

#[biz_attrs(order.id = id?)]
fn escaping(id: Option<u64>) {}

#[biz_attrs(#[ok(n)] #[baggage] order.id = n)]
fn too_late() -> Option<u64> {
    Some(1)
}

const TENANT: &str = "x-tenant-id";

#[biz_attrs(tenant.id = header(TENANT))]
fn reader() {}

fn main() {
    let id = 1;
    tag!(order.id: id);
    tag!(#[baggage] order.id = id);
}
