//! As little HTTP/1.1 as will do: one kept connection, one write for each request.

use std::io::{Read, Write};
use std::net::TcpStream;

pub struct RawHttp {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// How much of `answer` is filled.
    filled: usize,
}

impl RawHttp {
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a sink on that port");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, request: Vec::with_capacity(1 << 20), answer: vec![0; 16 << 10], filled: 0 }
    }

    /// Sends a body and waits for the answer.
    pub fn post(&mut self, body: &[u8]) {
        self.request.clear();
        append_request(&mut self.request, body);
        self.stream.write_all(&self.request).expect("a request to the sink");
        self.receive();
    }

    /// Sends what is a request already, or several.
    pub fn send(&mut self, requests: &[u8]) {
        self.stream.write_all(requests).expect("a request to the sink");
    }

    /// Reads exactly one answer.
    pub fn receive(&mut self) {
        loop {
            if let Some(len) = answer_len(&self.answer[..self.filled]) {
                self.answer.copy_within(len..self.filled, 0);
                self.filled -= len;
                return;
            }
            let read = self.stream.read(&mut self.answer[self.filled..]).expect("the sink's answer");
            assert!(read > 0, "the sink closed the connection");
            self.filled += read;
        }
    }
}

pub fn append_request(out: &mut Vec<u8>, body: &[u8]) {
    let len = body.len();
    write!(
        out,
        "POST /jkool HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n\r\n"
    )
    .expect("memory");
    out.extend_from_slice(body);
}

/// The length of the first answer in `bytes`, when it is complete. Any but `200` is a bug.
pub fn answer_len(bytes: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"content-length: ";
    let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = &bytes[..head_len];
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(head));
    let at = head.windows(LENGTH.len()).position(|window| window.eq_ignore_ascii_case(LENGTH)).expect("a length");
    let digits = head[at + LENGTH.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let body_len = digits.fold(0, |len, digit| len * 10 + usize::from(digit - b'0'));
    Some(head_len + body_len).filter(|len| *len <= bytes.len())
}

#[cfg(test)]
mod tests {
    use super::answer_len;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP";
        assert_eq!(answer_len(answer), Some(answer.len() - 4));
        assert_eq!(answer_len(&answer[..answer.len() - 5]), None);
        assert_eq!(answer_len(&answer[..20]), None);
    }
}
