//! The recorded lines: what public clients put on the wire when they were run.

use serde_json::Value as Json;
use std::path::PathBuf;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "wire"].iter().collect()
}

/// The names of the files, in order.
pub(crate) fn files() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The lines of a file.
pub(crate) fn lines(file: &str) -> Vec<Json> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a line says went over the wire, one item for each message.
pub(crate) fn bodies(line: &Json) -> Vec<Vec<u8>> {
    let text = |value: &Json| value.as_str().unwrap().as_bytes().to_vec();
    let items = |value: &Json| value.as_array().unwrap().clone();
    if let Some(kafka) = line.get("kafka") {
        return vec![text(&kafka["value"])];
    }
    if let Some(mqtt) = line.get("mqtt") {
        return vec![text(&mqtt["payload"])];
    }
    if let Some(received) = line.get("subscriber_received") {
        return items(received).iter().map(|message| text(&message["payload"])).collect();
    }
    if let Some(connections) = line.get("bytes_per_connection") {
        // Over TCP each line is a document.
        let connections = items(connections);
        let documents = connections.iter().flat_map(|bytes| bytes.as_str().unwrap().split_terminator('\n'));
        return documents.map(|document| document.as_bytes().to_vec()).collect();
    }
    match line.get("request") {
        Some(Json::Object(request)) => match request.get("body") {
            Some(body) => vec![text(body)],
            None => vec![base64(request["body_base64"].as_str().unwrap())],
        },
        Some(Json::Null) => Vec::new(),
        _ => {
            assert!(line.get("source_fqn").is_some(), "nothing is known of {line}");
            Vec::new()
        }
    }
}

/// The one body of a line that has one.
pub(crate) fn body(line: &Json) -> String {
    line["request"]["body"].as_str().unwrap().to_owned()
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let six = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | six as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
