//! Implementations for types that become one property.

use super::ToProperties;
use crate::Text;
use crate::property::{Property, TypedValue};
use crate::timestamp::Timestamp;
#[cfg(any(feature = "chrono", feature = "time"))]
use crate::timestamp::nearest;
use crate::trackable::usec;
use crate::value::Value;
use crate::value_type::ValueType;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

macro_rules! scalars {
    ($($ty:ty as $typed:expr;)+) => {
        $(impl ToProperties for $ty {
            fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
                properties.push(Property::new(name, self.to_typed()));
            }

            fn to_value(&self) -> Value {
                self.to_typed().value
            }
        }

        impl ToTyped for $ty {
            fn to_typed(&self) -> TypedValue {
                let typed: fn(&$ty) -> TypedValue = $typed;
                typed(self)
            }
        })+
    };
}

trait ToTyped {
    fn to_typed(&self) -> TypedValue;
}

scalars! {
    bool as |bool| (*bool).into();
    i8 as |int| (*int).into();
    i16 as |int| (*int).into();
    i32 as |int| (*int).into();
    i64 as |int| (*int).into();
    i128 as |int| (*int).into();
    isize as |int| (*int).into();
    u8 as |int| (*int).into();
    u16 as |int| (*int).into();
    u32 as |int| (*int).into();
    u64 as |int| (*int).into();
    u128 as |int| (*int).into();
    usize as |int| (*int).into();
    f32 as |float| (*float).into();
    f64 as |float| (*float).into();
    char as |character| (*character).into();
    str as |text| text.to_owned().into();
    String as |text| text.clone().into();
    Text as |text| text.clone().into();
    Timestamp as |time| (*time).into();
    SystemTime as |time| (*time).into();
    Value as |value| value.clone().into();
    TypedValue as |typed| typed.clone();
}

#[cfg(feature = "chrono")]
scalars! {
    chrono::NaiveDateTime as |time| (*time).into();
    chrono::NaiveDate as |date| (*date).into();
    chrono::NaiveTime as |time| (*time).into();
}

#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> ToProperties for chrono::DateTime<Tz> {
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
        properties.push(Property::new(name, self.clone()));
    }
}

#[cfg(feature = "time")]
scalars! {
    time::OffsetDateTime as |time| (*time).into();
    time::UtcDateTime as |time| (*time).into();
    time::PrimitiveDateTime as |time| (*time).into();
    time::Date as |date| (*date).into();
    time::Time as |time| (*time).into();
}

/// Types that determine the value type.
macro_rules! measured {
    ($($ty:ty as $typed:expr, $value_type:expr;)+) => {
        $(impl ToProperties for $ty {
            fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
                let typed: fn(&$ty) -> TypedValue = $typed;
                let value_type: fn(&$ty) -> ValueType = $value_type;
                properties.push(Property::new(name, typed(self)).value_type(value_type(self)));
            }
        })+
    };
}

measured! {
    Duration as |duration| usec(*duration).into(), |_| ValueType::AgeUsec;
    Ipv4Addr as |address| address.to_string().into(), |_| ValueType::AddrIpV4;
    Ipv6Addr as |address| address.to_string().into(), |_| ValueType::AddrIpV6;
    IpAddr as |address| address.to_string().into(), |address| match address {
        IpAddr::V4(_) => ValueType::AddrIpV4,
        IpAddr::V6(_) => ValueType::AddrIpV6,
    };
}

#[cfg(feature = "chrono")]
measured! {
    chrono::TimeDelta as |delta| {
        nearest(i128::from(delta.num_seconds()) * 1_000_000 + i128::from(delta.subsec_nanos() / 1_000)).into()
    }, |_| ValueType::AgeUsec;
}

#[cfg(feature = "time")]
measured! {
    time::Duration as |duration| nearest(duration.whole_microseconds()).into(), |_| ValueType::AgeUsec;
}

#[cfg(feature = "uuid")]
measured! {
    uuid::Uuid as |uuid| (*uuid).into(), |_| ValueType::Guid;
}
