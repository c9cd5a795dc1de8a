//! Reads the statistics that librdkafka reports at an interval. Pure.

use crate::stats::KafkaStats;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;

/// The fields that are used; <https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md> describes them.
#[derive(Deserialize)]
struct Report {
    msg_size: u64,
    brokers: HashMap<String, Broker>,
}

#[derive(Deserialize)]
struct Broker {
    /// Negative for an address of the setting, until the cluster has told which broker it is.
    nodeid: i64,
    state: String,
    outbuf_cnt: u64,
    waitresp_cnt: u64,
    txretries: u64,
    txerrs: u64,
    req_timeouts: u64,
    rtt: Window,
}

/// Microseconds, in the time since the last report.
#[derive(Deserialize)]
struct Window {
    avg: u64,
    cnt: u64,
}

/// Sums a report over the brokers; `None` if it is not one. The counters of records are left at 0.
pub(crate) fn read(json: &[u8]) -> Option<KafkaStats> {
    let Report { msg_size, brokers } = serde_json::from_slice(json).ok()?;
    let sum = |count: fn(&Broker) -> u64| brokers.values().map(count).sum();
    let round_trips: u64 = sum(|broker| broker.rtt.cnt);
    let total = sum(|broker| broker.rtt.avg.saturating_mul(broker.rtt.cnt));
    let has_ids = brokers.values().any(|broker| broker.nodeid >= 0);
    let (mut brokers_up, mut brokers_down) = (0, 0);
    for broker in brokers.values().filter(|broker| (broker.nodeid >= 0) == has_ids) {
        match &*broker.state {
            "UP" | "UPDATE" => brokers_up += 1,
            // Nothing is to be sent to it, so there is no connection.
            "INIT" => {}
            _ => brokers_down += 1,
        }
    }
    Some(KafkaStats {
        bytes_waiting: msg_size,
        requests_waiting: sum(|broker| broker.outbuf_cnt),
        requests_in_flight: sum(|broker| broker.waitresp_cnt),
        requests_retried: sum(|broker| broker.txretries),
        requests_failed: sum(|broker| broker.txerrs),
        requests_timed_out: sum(|broker| broker.req_timeouts),
        round_trip: total.checked_div(round_trips).map(Duration::from_micros),
        brokers_up,
        brokers_down,
        ..KafkaStats::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{KafkaStats, read};
    use std::time::Duration;

    fn broker(id: i64, state: &str, count: u64) -> String {
        format!(
            r#"{{"nodeid":{id},"state":"{state}","outbuf_cnt":{count},"waitresp_cnt":2,"txretries":3,"txerrs":4,"req_timeouts":5,
                "rtt":{{"avg":{},"cnt":{count}}},"source":"learned"}}"#,
            1000 * count
        )
    }

    #[test]
    fn a_report_is_summed_over_the_brokers() {
        let brokers = [broker(1, "UP", 1), broker(2, "TRY_CONNECT", 3), broker(3, "INIT", 0), broker(-1, "DOWN", 0)];
        let [one, two, three, address] = brokers;
        let report = format!(
            r#"{{"name":"jkool","msg_size":9,"brokers":{{"a/1":{one},"b/2":{two},"c/3":{three},"a/bootstrap":{address}}}}}"#
        );
        let expected = KafkaStats {
            bytes_waiting: 9,
            requests_waiting: 4,
            requests_in_flight: 8,
            requests_retried: 12,
            requests_failed: 16,
            requests_timed_out: 20,
            round_trip: Some(Duration::from_micros(2500)),
            brokers_up: 1,
            brokers_down: 1,
            ..KafkaStats::default()
        };
        assert_eq!(read(report.as_bytes()), Some(expected));
        let report = format!(r#"{{"msg_size":0,"brokers":{{"a/bootstrap":{address}}}}}"#);
        let stats = read(report.as_bytes()).expect("a report");
        assert_eq!((stats.brokers_down, stats.round_trip), (1, None));
        assert_eq!(read(b"{}"), None);
    }
}
