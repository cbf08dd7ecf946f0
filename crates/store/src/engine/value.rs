//! What goes into statements and what comes out of rows, the same for both engines.

use std::borrow::Cow;
use std::error::Error;

use postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};
use rusqlite::types::{ToSqlOutput, ValueRef};
use trunkline_domain::ids::IdKind;
use trunkline_domain::{Id, IdError, ItemId, Millis, PhoneNumber};

use super::error::StoreError;

/// A value bound to `$1`, `$2`, …
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'v> {
    /// NULL.
    Null,
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A truth value (SQLite: 0 or 1).
    Bool(bool),
    /// A text.
    Text(Cow<'v, str>),
}

/// Binds values of any supported type: `params![team, &name, at]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

macro_rules! value_from {
    ($($type:ty: |$value:ident| $make:expr;)*) => {$(
        impl<'v> From<$type> for Value<'v> {
            fn from($value: $type) -> Self { $make }
        }
    )*};
}

value_from! {
    i64: |v| Self::Int(v);
    i32: |v| Self::Int(v.into());
    u32: |v| Self::Int(v.into());
    u16: |v| Self::Int(v.into());
    f64: |v| Self::Real(v);
    bool: |v| Self::Bool(v);
    &'v str: |v| Self::Text(Cow::Borrowed(v));
    String: |v| Self::Text(Cow::Owned(v));
    &'v String: |v| Self::Text(Cow::Borrowed(v));
    Millis: |v| Self::Int(v.0);
    PhoneNumber: |v| Self::Text(Cow::Owned(v.as_str().to_owned()));
    ItemId: |v| Self::Text(Cow::Owned(v.to_string()));
}

impl<K: IdKind> From<Id<K>> for Value<'_> {
    fn from(id: Id<K>) -> Self {
        Self::Text(Cow::Owned(id.to_string()))
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Real(v) => ValueRef::Real(*v),
            Self::Bool(v) => ValueRef::Integer((*v).into()),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(v), &Type::INT8) => v.to_sql(ty, out),
            (Self::Int(v), &Type::INT4) => i32::try_from(*v)?.to_sql(ty, out),
            (Self::Int(v), &Type::INT2) => i16::try_from(*v)?.to_sql(ty, out),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a whole number bound to a column of floating point"
            )]
            (Self::Int(v), &Type::FLOAT8) => (*v as f64).to_sql(ty, out),
            (Self::Real(v), &Type::FLOAT8) => v.to_sql(ty, out),
            (Self::Bool(v), &Type::BOOL) => v.to_sql(ty, out),
            (Self::Text(v), &Type::TEXT | &Type::VARCHAR | &Type::UNKNOWN) => v.as_ref().to_sql(ty, out),
            (value, ty) => Err(format!("{value:?} cannot be bound to a parameter of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column<'c> {
    /// NULL.
    Null,
    /// An integer or a truth value.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(&'c str),
}

impl<'c> Column<'c> {
    /// The text, borrowed from the row; `None` for everything else.
    #[must_use]
    pub const fn text(self) -> Option<&'c str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }
}

impl<'c> FromSql<'c> for Column<'c> {
    fn from_sql(ty: &Type, raw: &'c [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            _ => Self::Text(<&str>::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(
            *ty,
            Type::INT8
                | Type::INT4
                | Type::INT2
                | Type::BOOL
                | Type::FLOAT8
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
        )
    }
}

/// A row of either engine.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    /// Of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Of PostgreSQL.
    Postgres(&'r postgres::Row),
}

impl<'r> Row<'r> {
    /// The column at zero-based `index`.
    ///
    /// # Errors
    /// [`StoreError::Column`] when the column holds nothing that `T` can be.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, StoreError> {
        T::from_column(self.column(index)?).map_err(|problem| StoreError::Column {
            column: index,
            problem,
        })
    }

    /// The bare column at zero-based `index`, borrowed from the row.
    ///
    /// # Errors
    /// [`StoreError::Column`] when there is no such column or its type is not one the store uses.
    pub fn column(&self, index: usize) -> Result<Column<'r>, StoreError> {
        let fault = |problem: String| StoreError::Column {
            column: index,
            problem,
        };
        match self {
            Self::Sqlite(row) => Ok(match row.get_ref(index)? {
                ValueRef::Null => Column::Null,
                ValueRef::Integer(v) => Column::Int(v),
                ValueRef::Real(v) => Column::Real(v),
                ValueRef::Text(v) => Column::Text(std::str::from_utf8(v).map_err(|e| fault(e.to_string()))?),
                ValueRef::Blob(_) => return Err(fault("a blob".into())),
            }),
            Self::Postgres(row) => row.try_get(index).map_err(|e| fault(e.to_string())),
        }
    }
}

/// What can be read from a column.
pub trait FromColumn: Sized {
    /// Reads the value, or says what is wrong with it.
    ///
    /// # Errors
    /// A sentence for the log.
    fn from_column(column: Column<'_>) -> Result<Self, String>;
}

fn wrong<T>(wanted: &str, column: Column<'_>) -> Result<T, String> {
    let found = match column {
        Column::Null => "NULL",
        Column::Int(_) => "an integer",
        Column::Real(_) => "a number",
        Column::Text(_) => "another text",
    };
    Err(format!("expected {wanted}, found {found}"))
}

impl FromColumn for i64 {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Int(v) = column {
            Ok(v)
        } else {
            wrong("an integer", column)
        }
    }
}

impl FromColumn for bool {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Int(v) = column {
            Ok(v != 0)
        } else {
            wrong("a truth value", column)
        }
    }
}

impl FromColumn for f64 {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        match column {
            Column::Real(v) => Ok(v),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a number that was stored without a fraction"
            )]
            Column::Int(v) => Ok(v as Self),
            _ => wrong("a number", column),
        }
    }
}

impl FromColumn for String {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Text(v) = column {
            Ok(v.to_owned())
        } else {
            wrong("a text", column)
        }
    }
}

impl FromColumn for Millis {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        i64::from_column(column).map(Millis)
    }
}

impl FromColumn for PhoneNumber {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Text(v) = column {
            Self::parse(v).map_err(|e| e.to_string())
        } else {
            wrong("a number", column)
        }
    }
}

impl<K: IdKind> FromColumn for Id<K> {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Text(v) = column {
            Self::parse(v).map_err(|e: IdError| e.to_string())
        } else {
            wrong("an id", column)
        }
    }
}

impl FromColumn for ItemId {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Text(v) = column {
            Self::parse(v).map_err(|e| e.to_string())
        } else {
            wrong("an item id", column)
        }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if column == Column::Null {
            Ok(None)
        } else {
            T::from_column(column).map(Some)
        }
    }
}

/// Names of closed sets are stored as their wire names.
macro_rules! stored_by_name {
    ($($type:ty),* $(,)?) => {$(
        impl From<$type> for Value<'_> {
            fn from(value: $type) -> Self { Self::Text(Cow::Borrowed(value.as_str())) }
        }
        impl FromColumn for $type {
            fn from_column(column: Column<'_>) -> Result<Self, String> {
                if let Column::Text(v) = column { v.parse().map_err(|_| format!("unknown name {v:?}")) } else { wrong("a name", column) }
            }
        }
    )*};
}

stored_by_name!(
    trunkline_domain::Direction,
    trunkline_domain::ItemKind,
    trunkline_domain::CallResult,
    trunkline_domain::MessageStatus,
    trunkline_domain::MessageType,
    trunkline_domain::Role,
    trunkline_domain::UserStatus,
    trunkline_domain::InvitationDelivery,
    trunkline_domain::LineKind,
    trunkline_domain::Plan,
    trunkline_domain::AccountStatus,
    trunkline_domain::SummaryTemplate,
    trunkline_domain::MediaState,
    trunkline_domain::sms::rules::SenderIdStatus,
    trunkline_domain::PropertyType,
    trunkline_domain::DeliveryState,
    trunkline_domain::EntityType,
    trunkline_domain::call::Phase,
    trunkline_domain::dialer::VoicemailHandling,
    trunkline_domain::dialer::DoNotDisturb,
    trunkline_domain::dialer::RoutingResult,
    trunkline_domain::dialer::NotReached,
    trunkline_domain::events::Topic,
);

/// A column of JSON, read into `T` and written as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: serde::de::DeserializeOwned> FromColumn for Json<T> {
    fn from_column(column: Column<'_>) -> Result<Self, String> {
        if let Column::Text(v) = column {
            serde_json::from_str(v).map(Self).map_err(|e| e.to_string())
        } else {
            wrong("JSON", column)
        }
    }
}

impl<T: serde::Serialize> From<&Json<T>> for Value<'_> {
    fn from(json: &Json<T>) -> Self {
        // Only types of our own go in, whose keys are strings and whose numbers are finite: writing them cannot fail.
        Self::Text(Cow::Owned(
            serde_json::to_string(&json.0).unwrap_or_else(|_| "null".into()),
        ))
    }
}
