//! Types that have a JSON form, and the schemas of those forms.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::json;

/// A JSON value, a schema among others.
pub(super) type Json = serde_json::Value;

/// Schemas that have a name, by name.
pub(super) type Schemas = BTreeMap<&'static str, Json>;

/// A type whose JSON form has a schema.
pub(super) trait Schema: Serialize {
    /// Whether a member of this type is always there.
    const ALWAYS: bool = true;

    /// Its schema; those it refers to by name are entered in `schemas`.
    fn schema(schemas: &mut Schemas) -> Json;

    /// Whether a member with this value is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A member that is there only if it was asked for.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) Option<T>);

impl<T: Serialize> Serialize for Asked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Schema> Schema for Asked<T> {
    const ALWAYS: bool = false;

    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }

    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Schema> Schema for Option<T> {
    fn schema(schemas: &mut Schemas) -> Json {
        json!({"oneOf": [T::schema(schemas), {"type": "null"}]})
    }
}

impl<T: Schema> Schema for Vec<T> {
    fn schema(schemas: &mut Schemas) -> Json {
        json!({"type": "array", "items": T::schema(schemas)})
    }
}

impl<T: Schema + ?Sized> Schema for &T {
    fn schema(schemas: &mut Schemas) -> Json {
        T::schema(schemas)
    }
}

impl<T: Schema> Schema for BTreeMap<&'static str, T> {
    fn schema(schemas: &mut Schemas) -> Json {
        json!({"type": "object", "additionalProperties": T::schema(schemas)})
    }
}

/// Schemas without parts.
macro_rules! plain {
    ($($type:ty => $schema:tt),+ $(,)?) => {
        $(impl Schema for $type {
            fn schema(_: &mut Schemas) -> Json {
                json!($schema)
            }
        })+
    };
}

plain! {
    bool => {"type": "boolean"},
    i32 => {"type": "integer"},
    i64 => {"type": "integer"},
    u16 => {"type": "integer"},
    u32 => {"type": "integer", "minimum": 0},
    u64 => {"type": "integer", "minimum": 0},
    usize => {"type": "integer", "minimum": 0},
    f64 => {"type": "number"},
    str => {"type": "string"},
    String => {"type": "string"},
    std::borrow::Cow<'_, str> => {"type": "string"},
}

/// Declares a struct whose JSON form is an object with its fields as members, and which is a named schema; the doc
/// comments describe both.
macro_rules! object {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, serde::Serialize)]
        $vis struct $name $(<$life>)? {
            $(
                $(#[doc = $doc])+
                #[serde(skip_serializing_if = "crate::api::schema::Schema::is_absent")]
                pub(super) $field: $type,
            )+
        }

        impl $(<$life>)? crate::api::schema::Schema for $name $(<$life>)? {
            fn schema(schemas: &mut crate::api::schema::Schemas) -> crate::api::schema::Json {
                let members = [$(crate::api::schema::member::<$type>(
                    stringify!($field),
                    concat!($($doc),+),
                    schemas,
                )),+];
                crate::api::schema::named(stringify!($name), concat!($($about),+), members, schemas)
            }
        }
    };
}
pub(super) use object;

/// A member of an object: its name, its schema, and whether it is always there.
pub(super) type Member = (&'static str, Json, bool);

pub(super) fn member<T: Schema>(
    name: &'static str,
    about: &'static str,
    schemas: &mut Schemas,
) -> Member {
    let mut schema = T::schema(schemas);
    schema["description"] = about.trim().into();
    (name.trim_start_matches("r#"), schema, T::ALWAYS)
}

/// Enters an object under its name; the answer refers to it.
pub(super) fn named<const N: usize>(
    name: &'static str,
    about: &'static str,
    members: [Member; N],
    schemas: &mut Schemas,
) -> Json {
    let required = members.iter().filter(|(.., always)| *always);
    let required: Vec<_> = required.map(|(name, ..)| *name).collect();
    let properties: serde_json::Map<_, _> = members
        .into_iter()
        .map(|(name, schema, _)| (name.to_owned(), schema))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": about.trim(),
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schemas.insert(name, schema);
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The JSON text of something that always has one.
pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Nothing here has keys that are no strings, which is all that can fail.
    serde_json::to_vec(value).unwrap_or_default()
}
