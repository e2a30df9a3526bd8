//! The values of actix-web's extractors: those of what they hold.

use actix_web::web::{Data, Form, Json, Path, Query, ReqData};

use crate::attribute::{BizAttrs, Encoder, Tags, Value};

macro_rules! extractors {
    ($($extractor:ident)*) => {$(
        impl<T: Value> Value for $extractor<T> {
            fn encode(&self, encoder: Encoder<'_>) {
                T::encode(self, encoder);
            }
        }

        impl<T: BizAttrs> BizAttrs for $extractor<T> {
            fn record(&self, tags: &mut Tags) {
                T::record(self, tags);
            }
        }
    )*};
}

extractors!(Form Json Path Query);

impl<T: Value + ?Sized> Value for Data<T> {
    fn encode(&self, encoder: Encoder<'_>) {
        T::encode(self, encoder);
    }
}

impl<T: BizAttrs + ?Sized> BizAttrs for Data<T> {
    fn record(&self, tags: &mut Tags) {
        T::record(self, tags);
    }
}

impl<T: Value + Clone + 'static> Value for ReqData<T> {
    fn encode(&self, encoder: Encoder<'_>) {
        T::encode(self, encoder);
    }
}

impl<T: BizAttrs + Clone + 'static> BizAttrs for ReqData<T> {
    fn record(&self, tags: &mut Tags) {
        T::record(self, tags);
    }
}
