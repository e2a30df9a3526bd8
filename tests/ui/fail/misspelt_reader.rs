#![deny(warnings)]

use biztrace::{biz_attrs, traced};

#[traced(attrs(tenant.id = heder("x-tenant-id"), order.page = hender("page")))]
fn header() {}

#[biz_attrs(#[max_len(8)] order.page = querry("page"))]
fn query() {}

// There is such a function, beside a function with the name of a reader.
fn hender(_: &str) -> u8 {
    1
}

fn main() {}
