//! The enums of the protocol that describe an event (section "Enums" of the wire notes).

use crate::spelling::closed_enum;

closed_enum! {
    /// The severity of an event, ordered from the least to the most severe.
    ///
    /// ```
    /// use jkool_model::Severity;
    /// assert!(Severity::Error > Severity::Warning);
    /// assert_eq!("warn".parse::<Severity>()?, Severity::Warning);
    /// # Ok::<(), jkool_model::UnknownWord>(())
    /// ```
    #[derive(Default)]
    pub enum Severity: "severity" {
        /// No severity given.
        None = "NONE",
        /// Finest detail.
        Trace = "TRACE",
        /// For debugging.
        Debug = "DEBUG",
        /// Information for operators. The default.
        #[default]
        Info = "INFO",
        /// Normal, but notable.
        Notice = "NOTICE",
        /// Something unexpected without harm.
        Warning = "WARNING" | "WARN",
        /// Something failed.
        Error = "ERROR",
        /// A part of the program failed.
        Failure = "FAILURE",
        /// The program is at risk.
        Critical = "CRITICAL",
        /// The program cannot continue.
        Fatal = "FATAL",
        /// The program stops.
        Halt = "HALT",
    }
}

impl Severity {
    /// Parses what clients send, including Python's `Level 25` by its number (10 DEBUG, 20 INFO, 30 WARNING, 40 ERROR, 50
    /// CRITICAL and above). An unknown word is INFO.
    pub(crate) fn lenient(word: &str) -> Self {
        word.parse().unwrap_or_else(|_| match word.strip_prefix("Level ").and_then(|n| n.trim().parse::<i64>().ok()) {
            Some(..=9) => Self::Trace,
            Some(10..=19) => Self::Debug,
            Some(30..=39) => Self::Warning,
            Some(40..=49) => Self::Error,
            Some(50..) => Self::Critical,
            Some(20..=29) | None => Self::Info,
        })
    }
}

closed_enum! {
    /// The kind of operation that an event records.
    #[derive(Default)]
    pub enum OpType: "operation type" {
        /// None of the others.
        Other = "OTHER",
        /// Nothing was done.
        Noop = "NOOP",
        /// A call.
        Call = "CALL",
        /// A group of events.
        Activity = "ACTIVITY",
        /// Something happened. The default.
        #[default]
        Event = "EVENT",
        /// A set of metrics.
        Snapshot = "SNAPSHOT",
        /// Something started.
        Start = "START",
        /// Something stopped.
        Stop = "STOP",
        /// Something was opened.
        Open = "OPEN",
        /// Something was closed.
        Close = "CLOSE",
        /// A message was sent.
        Send = "SEND",
        /// A message was received.
        Receive = "RECEIVE",
        /// Something was asked.
        Inquire = "INQUIRE",
        /// A value was set.
        Set = "SET",
        /// Something was read and not removed.
        Browse = "BROWSE",
        /// Something was added.
        Add = "ADD",
        /// Something was changed.
        Update = "UPDATE",
        /// Something was removed.
        Remove = "REMOVE",
        /// Everything was removed.
        Clear = "CLEAR",
        /// A log entry.
        Log = "LOG",
        /// A data set.
        Dataset = "DATASET",
    }
}

closed_enum! {
    /// The outcome of an operation.
    pub enum CompCode: "completion code" {
        /// It succeeded. jkool-client-java-api writes `OK`, which is also accepted.
        Success = "SUCCESS" | "OK",
        /// It ended with a warning.
        Warning = "WARNING",
        /// It failed.
        Error = "ERROR",
    }
}

closed_enum! {
    /// The status of an activity.
    pub enum ActivityStatus: "activity status" {
        /// Unknown.
        Unknown = "UNKNOWN",
        /// It began.
        Begin = "BEGIN",
        /// It ended.
        End = "END",
        /// It ended with an exception.
        Exception = "EXCEPTION",
    }
}

closed_enum! {
    /// The subject of a log entry.
    pub enum LogType: "log type" {
        /// Nothing special.
        General = "GENERAL",
        /// An error.
        Error = "ERROR",
        /// A query.
        Query = "QUERY",
        /// A subscription; no longer used.
        Subscribe = "SUBSCRIBE",
        /// An alert; older clients write `TRIGGER`.
        Alert = "ALERT" | "TRIGGER",
        /// A trace; no longer used.
        Trace = "TRACE",
        /// An audit record.
        Audit = "AUDIT",
        /// Machine learning.
        Ml = "ML",
        /// A script.
        Script = "SCRIPT",
    }
}

#[cfg(test)]
mod tests {
    use super::{CompCode, LogType, OpType, Severity};

    #[test]
    fn severities_are_ordered_from_none_to_halt() {
        assert!(Severity::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Severity::ALL.len(), 11);
        assert_eq!(OpType::ALL.len(), 21);
    }

    #[test]
    fn every_word_parses_back_in_any_case() {
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().to_lowercase().parse(), Ok(*severity));
        }
        for op_type in OpType::ALL {
            assert_eq!(op_type.as_str().parse(), Ok(*op_type));
        }
    }

    #[test]
    fn older_spellings_are_read() {
        assert_eq!("OK".parse(), Ok(CompCode::Success));
        assert_eq!("TRIGGER".parse(), Ok(LogType::Alert));
    }

    #[test]
    fn an_unknown_word_is_named_and_cut() {
        let error = "LOUD".parse::<Severity>().unwrap_err();
        assert_eq!(error.to_string(), r#"unknown severity "LOUD""#);
        assert_eq!("x".repeat(1_000_000).parse::<OpType>().unwrap_err().word().len(), 64);
    }

    #[test]
    fn python_levels_go_by_their_number() {
        let read = |word: &str| Severity::lenient(word);
        assert_eq!(read("Level 5"), Severity::Trace);
        assert_eq!(read("Level 15"), Severity::Debug);
        assert_eq!(read("Level 25"), Severity::Info);
        assert_eq!(read("Level 35"), Severity::Warning);
        assert_eq!(read("Level 45"), Severity::Error);
        assert_eq!(read("Level 60"), Severity::Critical);
        assert_eq!(read("Level x"), Severity::Info);
        assert_eq!(read("shouting"), Severity::Info);
    }
}
