//! A serializer around a serializer, which refuses what could not be read back.

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Passes everything on, but for three things:
///
/// * What is nested deeper than `left` levels is refused, before it can overflow the stack here or where it is read.
/// * An integer of 128 bits is refused, as the methods of the trait do by default. Types that serde reads by way of a
///   buffer, with `flatten` or `untagged`, could not read it.
/// * A `RawValue` of `serde_json` is refused: it is text only in JSON.
pub(super) struct Limited<S> {
    inner: S,
    left: u8,
}

impl<S> Limited<S> {
    pub(super) const fn new(inner: S) -> Self {
        Self { inner, left: MAX_NESTING }
    }

    /// Returns the number of levels that are left within this one.
    fn within<E: Error>(&self) -> Result<u8, E> {
        self.left.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))
    }
}

/// A value within another one.
struct Nested<'a, T: ?Sized> {
    value: &'a T,
    left: u8,
}

impl<T: Serialize + ?Sized> Serialize for Nested<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Limited { inner, left: self.left })
    }
}

/// Methods that take a simple value, and pass it on.
macro_rules! pass_on {
    ($($method:ident($type:ty)),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<S: Serializer> Serializer for Limited<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Limited<S::SerializeSeq>;
    type SerializeTuple = Limited<S::SerializeTuple>;
    type SerializeTupleStruct = Limited<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Limited<S::SerializeTupleVariant>;
    type SerializeMap = Limited<S::SerializeMap>;
    type SerializeStruct = Limited<S::SerializeStruct>;
    type SerializeStructVariant = Limited<S::SerializeStructVariant>;

    pass_on!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str),
    );

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let left = self.within()?;
        self.inner.serialize_some(&Nested { value, left })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let left = self.within()?;
        self.inner.serialize_newtype_struct(name, &Nested { value, left })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let left = self.within()?;
        self.inner.serialize_newtype_variant(name, index, variant, &Nested { value, left })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_seq(len)?, left })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_tuple(len)?, left })
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_tuple_struct(name, len)?, left })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_tuple_variant(name, index, variant, len)?, left })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_map(len)?, left })
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        if name == RAW_VALUE {
            return Err(S::Error::custom("raw JSON"));
        }
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_struct(name, len)?, left })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let left = self.within()?;
        Ok(Limited { inner: self.inner.serialize_struct_variant(name, index, variant, len)?, left })
    }
}

/// The parts of a list, or the nameless fields of a struct.
macro_rules! limit_parts {
    ($($trait:ident::$method:ident),* $(,)?) => {
        $(impl<C: $trait> $trait for Limited<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&Nested { value, left: self.left })
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

limit_parts!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
);

/// The fields of a struct.
macro_rules! limit_fields {
    ($($trait:ident),* $(,)?) => {
        $(impl<C: $trait> $trait for Limited<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                self.inner.serialize_field(key, &Nested { value, left: self.left })
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

limit_fields!(SerializeStruct, SerializeStructVariant);

impl<C: SerializeMap> SerializeMap for Limited<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&Nested { value, left: self.left })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Nested { value, left: self.left })
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

/// As deep as `serde_json` reads, so that what a session lists as JSON can be read as such.
pub(super) const MAX_NESTING: u8 = 127;

/// The name that `serde_json` gives to a struct with text that is JSON already.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
