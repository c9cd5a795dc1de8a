//! The data types and value types of properties.

use crate::spelling::open_enum;

open_enum! {
    /// The data type of a property's value, by the names that TNT4J and jkool-client-java-api use.
    ///
    /// Parsing ignores case and accepts TNT4PY's `integer` and `boolean`. An unknown name is kept as text.
    pub enum DataType {
        /// Text.
        String = "string",
        /// An integer of up to 32 bits.
        Int = "int" | "integer",
        /// An integer of up to 64 bits.
        Long = "long",
        /// A 64-bit floating-point number.
        Double = "double",
        /// A 32-bit floating-point number.
        Float = "float",
        /// True or false.
        Bool = "bool" | "boolean",
        /// An integer of up to 8 bits.
        Byte = "byte",
        /// An integer of up to 16 bits.
        Short = "short",
        /// One character.
        Char = "char" | "character",
        /// A time in milliseconds since 1970.
        Date = "date",
        /// A time in microseconds since 1970.
        DateUsec = "date.usec",
        /// An integer of any size.
        BigInt = "bint" | "BigInteger",
        /// A decimal number of any precision.
        BigDecimal = "bdec" | "BigDecimal",
        /// No value.
        None = "none",
    }
}

open_enum! {
    /// What a property's value measures: its unit or its kind.
    ///
    /// ```
    /// use jkool_model::{Property, ValueType};
    /// let price = Property::new("price", 10.5).value_type(ValueType::CurrencyUsd);
    /// assert_eq!(price.value_type.as_str(), "currency.usd");
    /// ```
    #[derive(Default)]
    pub enum ValueType {
        /// Not specified.
        #[default]
        None = "none",
        /// Temperature, °F.
        TempF = "temp.f",
        /// Temperature, °C.
        TempC = "temp.c",
        /// A rate per second.
        RateSec = "rate.sec",
        /// Money.
        Currency = "currency",
        /// Money, US dollars.
        CurrencyUsd = "currency.usd",
        /// Money, euros.
        CurrencyEur = "currency.eur",
        /// Money, pounds sterling.
        CurrencyUk = "currency.uk",
        /// A size.
        Size = "size",
        /// Bytes.
        SizeByte = "size.byte",
        /// Kilobytes.
        SizeKb = "size.kb",
        /// Megabytes.
        SizeMb = "size.mb",
        /// Gigabytes.
        SizeGb = "size.gb",
        /// Terabytes.
        SizeTb = "size.tb",
        /// Metres.
        SizeMeter = "size.meter",
        /// Kilometres.
        SizeKm = "size.km",
        /// Feet.
        SizeFoot = "size.foot",
        /// Miles.
        SizeMile = "size.mile",
        /// An age.
        Age = "age",
        /// Nanoseconds.
        AgeNsec = "age.nsec",
        /// Microseconds.
        AgeUsec = "age.usec",
        /// Milliseconds.
        AgeMsec = "age.msec",
        /// Seconds.
        AgeSec = "age.sec",
        /// Minutes.
        AgeMin = "age.min",
        /// Hours.
        AgeHour = "age.hour",
        /// Days.
        AgeDay = "age.day",
        /// Weeks.
        AgeWeek = "age.week",
        /// Months.
        AgeMonth = "age.month",
        /// Years.
        AgeYear = "age.year",
        /// A point in time.
        Timestamp = "timestamp",
        /// Kilometres per hour.
        SpeedKmh = "speed.kmh",
        /// Miles per hour.
        SpeedMph = "speed.mph",
        /// Pounds.
        MassLb = "mass.lb",
        /// Ounces.
        MassOz = "mass.oz",
        /// Grams.
        MassG = "mass.g",
        /// Kilograms.
        MassKg = "mass.kg",
        /// An address.
        Addr = "addr",
        /// An IP address.
        AddrIp = "addr.ip",
        /// An IPv4 address.
        AddrIpV4 = "addr.ip.v4",
        /// An IPv6 address.
        AddrIpV6 = "addr.ip.v6",
        /// A count that only increases.
        Counter = "counter",
        /// A count of milliseconds that only increases.
        CounterMsec = "counter.msec",
        /// A measured value that can increase and decrease.
        Gauge = "gauge",
        /// A rate of change.
        Derive = "derive",
        /// A count that is reset at each reading.
        Absolute = "absolute",
        /// A flag.
        Flag = "flag",
        /// A percentage.
        Percent = "percent",
        /// An identifier.
        Id = "id",
        /// A globally unique identifier.
        Guid = "guid",
        /// A cryptocurrency.
        Crypto = "crypto",
        /// Bitcoin.
        CryptoBtc = "crypto.btc",
        /// Ether.
        CryptoEth = "crypto.eth",
        /// Wei.
        CryptoEthWei = "crypto.eth.wei",
        /// EOS.
        CryptoEos = "crypto.eos",
        /// Litecoin.
        CryptoLtc = "crypto.ltc",
    }
}

/// Corrects properties from jkool-client-java-api's three-argument `Property` constructor, which writes the data type as
/// `value-type` and the value type as `type`. This applies only if both words are known in the swapped order.
pub(crate) fn unswap(data_type: &str, value_type: &str) -> Option<(DataType, ValueType)> {
    if DataType::known(data_type).is_some() {
        return None;
    }
    Some((DataType::known(value_type)?, ValueType::known(data_type)?))
}

#[cfg(test)]
mod tests {
    use super::{DataType, ValueType, unswap};

    #[test]
    fn names_of_other_clients_are_read_and_unknown_ones_kept() {
        assert_eq!(DataType::from("Integer"), DataType::Int);
        assert_eq!(DataType::from("String"), DataType::String);
        assert_eq!(DataType::from("OpLevel"), DataType::Other("OpLevel".into()));
        assert_eq!(ValueType::from("CURRENCY.USD"), ValueType::CurrencyUsd);
        assert_eq!(ValueType::from("furlongs").as_str(), "furlongs");
    }

    #[test]
    fn only_a_clear_swap_is_undone() {
        assert_eq!(unswap("age.year", "int"), Some((DataType::Int, ValueType::AgeYear)));
        assert_eq!(unswap("counter", "none"), Some((DataType::None, ValueType::Counter)));
        assert_eq!(unswap("none", "int"), None, "what a null whose type nobody told is written as");
        assert_eq!(unswap("int", "none"), None);
        assert_eq!(unswap("int", "counter"), None);
        assert_eq!(unswap("counter", "UUID"), None);
        assert_eq!(unswap("OpLevel", "string"), None);
    }
}
