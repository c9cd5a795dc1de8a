//! The full event, byte by byte as serde writes it, but by hand: constant fields are there already, numbers go by itoa.
//! As fast as it gets.

use super::uuid;

/// The full event, by hand.
pub fn full_by_hand(out: &mut Vec<u8>, message: &str, i: u64, time: u64) {
    out.extend_from_slice(br#"{"operation":"orders","type":"EVENT","tracking-id":""#);
    out.extend_from_slice(&uuid::fake(i));
    out.extend_from_slice(br#"","source-fqn":"APPL=orders#SERVER=host100#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053","severity":"INFO","pid":4242,"tid":4243,"user":"svc-orders","location":"src/orders.rs:118","resource":"ORDERS.QUEUE","time-usec":"#);
    number(out, time);
    out.extend_from_slice(br#","end-time-usec":"#);
    number(out, time);
    out.extend_from_slice(br#","elapsed-time-usec":"#);
    number(out, i & 63);
    out.extend_from_slice(br#","corr-id":["CID:7f3d12"],"msg-text":"#);
    text(out, message);
    out.extend_from_slice(br#","snapshots":[{"name":"Payment","time-usec":"#);
    number(out, time);
    out.extend_from_slice(br#","type":"SNAPSHOT","category":"Order","properties":[{"name":"order-no","value":"#);
    number(out, i);
    out.extend_from_slice(br#","type":"integer"},{"name":"order-amount","value":"#);
    serde_json::to_writer(&mut *out, &std::hint::black_box(129.95f64)).expect("memory");
    out.extend_from_slice(br#","type":"decimal"},{"name":"currency","value":"EUR","type":"string"},{"name":"customer","value":"acme-corp","type":"string"},{"name":"items","value":"#);
    number(out, i & 7);
    out.extend_from_slice(br#","type":"integer"}]}]}"#);
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("memory");
    }
}

#[cfg(test)]
mod tests {
    use crate::event::{full, full_by_hand};

    #[test]
    fn it_is_what_serde_writes() {
        for i in [0, 9, 12_345, 999_999] {
            let (mut derived, mut by_hand) = (Vec::new(), Vec::new());
            full(&mut derived, "order \"1\" processed in 2 ms", i, 1_800_000_000_000_000 + i);
            full_by_hand(&mut by_hand, "order \"1\" processed in 2 ms", i, 1_800_000_000_000_000 + i);
            assert_eq!(String::from_utf8(derived), String::from_utf8(by_hand));
        }
    }
}
