//! Values of the standard library's types.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::{Encoder, Value};

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Value for $int {
            #[inline]
            fn encode(&self, encoder: Encoder<'_>) {
                match i64::try_from(*self) {
                    Ok(value) => encoder.i64(value),
                    Err(_) => encoder.digits(&self.to_string()),
                }
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl Value for bool {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.bool(*self);
    }
}

impl Value for f32 {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.f32(*self);
    }
}

impl Value for f64 {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.f64(*self);
    }
}

impl Value for char {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self.encode_utf8(&mut [0; 4]));
    }
}

impl Value for str {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self);
    }
}

impl Value for String {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self);
    }
}

impl<V: Value> Value for [V] {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.array(|array| self.iter().for_each(|element| array.push(element)));
    }
}

impl<V: Value, const N: usize> Value for [V; N] {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_slice().encode(encoder);
    }
}

impl<V: Value> Value for Vec<V> {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_slice().encode(encoder);
    }
}

impl<V: Value> Value for Option<V> {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        if let Some(value) = self {
            value.encode(encoder);
        }
    }
}

impl<V: Value + ToOwned + ?Sized> Value for Cow<'_, V> {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        V::encode(self, encoder);
    }
}

macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        impl<V: Value + ?Sized> Value for $pointer {
            #[inline]
            fn encode(&self, encoder: Encoder<'_>) {
                V::encode(self, encoder);
            }
        }
    )*};
}

pointers!(&V &mut V Box<V> Rc<V> Arc<V>);
