//! Shapes of functions, patterns and types that are not often seen together: each compiles, and does what it did.

#![deny(warnings)]
use actix_web::{HttpRequest, HttpResponse, web};
use biztrace::{BizAttrs, BizValue, biz_attrs, tag, traced, traced_handler};
use std::future::Future;
use std::pin::Pin;

#[derive(Debug)]
enum E {
    A { code: u8, why: String },
    B { code: u8 },
}

struct S<T> {
    v: Vec<T>,
    id: u64,
}
impl<T: Clone + std::fmt::Display + Send + Sync> S<T> {
    #[traced(attrs(#[display] first.item = self.v.first().cloned().map_or_else(String::new, |x| x.to_string()), s.id = self.id))]
    #[biz_attrs(#[ok(n @ 1..=5)] n.small = *n, #[ok(6.. | 0)] n.big = true, #[err(E::A { code, .. } | E::B { code })] e.code = code, #[err(E::A { why, .. })] #[max_len(3)] e.why = why)]
    fn count(&self) -> Result<usize, E> {
        if self.id == 0 {
            return Err(E::A {
                code: 3,
                why: "because".into(),
            });
        }
        if self.id == 1 {
            Err(E::B { code: 4 })?
        }
        Ok(self.v.len())
    }

    #[traced]
    fn fut<'a>(&'a self) -> impl Future<Output = Option<&'a T>> + Send + 'a {
        async move { self.v.first() }
    }

    #[traced]
    fn boxed<'a>(&'a self, k: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        let n = k.len();
        Box::pin(async move { self.v.len() + n })
    }

    #[traced]
    fn elided(&self) -> Pin<Box<dyn Future<Output = usize> + '_>> {
        Box::pin(async move { self.v.len() })
    }

    #[traced]
    async fn by_pin(self: Pin<&mut Self>) -> u64 {
        self.id
    }

    #[traced]
    #[biz_attrs(#[ret(it)] it.len = it.len())]
    async fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.v.iter()
    }
}

#[traced(parent = none, links = causes)]
fn linked(causes: &[biztrace::opentelemetry::trace::SpanContext]) -> usize {
    causes.len()
}

#[traced(parent = none, links = causes.iter().take(1))]
fn linked_to_first(causes: Vec<biztrace::opentelemetry::trace::SpanContext>) -> usize {
    causes.len()
}

#[traced]
fn manual(x: u8) -> impl Future<Output = u8> {
    let y = x;
    std::future::ready(y)
}

#[biz_attrs(#[ret(r)] #[debug] all.r = r)]
fn unsized_ret(s: &str) -> &str {
    s
}

#[traced(err_if = |r: &Option<_>| r.is_none())]
async fn opt<F>(f: F) -> Option<u8>
where
    F: AsyncFn() -> Option<u8>,
{
    f().await
}

#[derive(BizAttrs)]
struct Wrap<'a, T: ?Sized, const N: usize> {
    #[biz(debug)]
    t: &'a T,
    #[biz]
    a: [u8; N],
    #[biz(nested, when(N > 0))]
    o: Option<&'a Inner>,
}
#[derive(BizAttrs)]
#[biz(prefix = "inner")]
struct Inner {
    #[biz(display, hash, inherit, baggage)]
    x: std::net::IpAddr,
    #[biz(rename = "kind")]
    k: Kind,
    #[biz]
    list: Vec<Kind>,
    #[biz(mask(1))]
    opt: Option<String>,
}
#[derive(BizValue, Clone, Copy)]
#[biz(rename_all = "kebab-case")]
enum Kind {
    HttpV2,
    Plain,
}

#[traced_handler(err)]
#[biz_attrs(..w, ..Some(&w.o), #[when(req.path().len() > 3)] p.path = req.path(), #[ok(r)] r.status = r.status().as_u16(), hdr.n = header("a").map(str::len))]
async fn h(req: HttpRequest, w: web::Json<Wrapped>) -> Result<HttpResponse, actix_web::Error> {
    drop(req);
    tag!(
        #[debug]
        w.id = w.o.as_ref().map(|i| i.id),
        ..w
    );
    Ok(HttpResponse::Ok().finish())
}

#[derive(serde::Deserialize, BizAttrs)]
struct Wrapped {
    #[biz(nested, prefix = "o")]
    o: Option<In2>,
}
#[derive(serde::Deserialize, BizAttrs)]
struct In2 {
    #[biz]
    id: u64,
}

#[actix_web::test]
async fn odd() {
    let s = S {
        v: vec![1, 2],
        id: 7,
    };
    assert_eq!(s.count().unwrap(), 2);
    assert_eq!(s.fut().await, Some(&1));
    assert_eq!(s.boxed("abc").await, 5);
    assert_eq!(s.elided().await, 2);
    assert_eq!(s.iter().await.count(), 2);
    let mut s = S {
        v: vec!["a"],
        id: 0,
    };
    assert!(s.count().is_err());
    assert_eq!(Pin::new(&mut s).by_pin().await, 0);
    assert_eq!(manual(3).await, 3);
    let causes = vec![biztrace::current().context(); 2];
    assert_eq!((linked(&causes), linked_to_first(causes)), (2, 2));
    assert_eq!(unsized_ret("x"), "x");
    assert_eq!(opt(async || Some(3)).await, Some(3));
    let inner = Inner {
        x: [1, 2, 3, 4].into(),
        k: Kind::HttpV2,
        list: vec![Kind::Plain],
        opt: None,
    };
    let w = Wrap::<str, 2> {
        t: "x",
        a: [1, 2],
        o: Some(&inner),
    };
    tag!(..w, ..&w, ..inner);
    let req = actix_web::test::TestRequest::default().to_http_request();
    h(
        req,
        web::Json(Wrapped {
            o: Some(In2 { id: 3 }),
        }),
    )
    .await
    .unwrap();
}
