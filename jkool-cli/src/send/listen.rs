//! Receives syslog over the network: UDP with one message per packet, and TCP with line breaks or octet counting (RFC 6587).

use super::feed::{Feed, How, Lines, Stop};
use super::identity::Identity;
use crate::formats::Format;
use std::collections::HashMap;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The maximum number of connections.
const MAX_CONNECTIONS: usize = 256;
/// The maximum length of a message with octet counting.
const LONGEST: usize = 1 << 20;
const LOOK: Duration = Duration::from_millis(250);

/// An address in a url, `syslog://127.0.0.1:5514`.
pub(super) fn address(url: &str) -> Result<SocketAddr, String> {
    const EXPECTED: &str = "expected syslog://address:port, such as syslog://127.0.0.1:5514";
    let address = url.strip_prefix("syslog://").ok_or(EXPECTED)?;
    address.trim_end_matches('/').parse().map_err(|_| EXPECTED.to_owned())
}

/// Received lines.
enum Message {
    Datagram(SocketAddr, Vec<u8>),
    Piece(usize, SocketAddr, Vec<u8>),
    End(usize),
}

/// A bound address.
pub(super) struct Listener {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Listener {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address)?;
        // Both use the same port, also when the system chose it.
        let udp = UdpSocket::bind(tcp.local_addr()?)?;
        Ok(Self { udp, tcp })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Receives messages until it is stopped. Its threads wait for the network until the process ends.
    pub(super) fn run(self, feed: &Feed, how: &How, stop: &Receiver<()>) {
        let (to, from) = sync_channel(64);
        let (udp, to_udp) = (self.udp, to.clone());
        std::thread::spawn(move || datagrams(&udp, &to_udp));
        std::thread::spawn(move || connections(&self.tcp, &to));
        let mut open = HashMap::new();
        while stop.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            let taken = match from.recv_timeout(LOOK) {
                Ok(message) => take(message, &mut open, feed, how),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if taken.is_err() || feed.is_stopped() {
                return;
            }
        }
    }
}

/// Each packet is a message; one that is not syslog is text.
fn take(message: Message, open: &mut HashMap<usize, (Frames, Lines)>, feed: &Feed, how: &How) -> Result<(), Stop> {
    let lines = |peer: SocketAddr| Lines::new(peer.to_string(), Format::Syslog, Identity::of_stream());
    match message {
        Message::Datagram(peer, bytes) => {
            let mut lines = lines(peer);
            lines.push(&one_line(&bytes), feed, how)?;
            lines.finish(feed, how)
        }
        Message::Piece(connection, peer, bytes) => {
            let (frames, lines) = open.entry(connection).or_insert_with(|| (Frames::default(), lines(peer)));
            lines.push(&frames.lines(&bytes), feed, how)?;
            // A message is one line: it is complete.
            if frames.is_between() { lines.settle(feed, how) } else { Ok(()) }
        }
        Message::End(connection) => match open.remove(&connection) {
            Some((_, mut lines)) => lines.finish(feed, how),
            None => Ok(()),
        },
    }
}

/// Replaces the line breaks in a message.
fn one_line(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.trim_ascii_end();
    let mut line: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
    line.push(b'\n');
    line
}

/// Splits the frames of a connection into lines.
#[derive(Debug, Default)]
struct Frames {
    rest: Vec<u8>,
}

impl Frames {
    /// The complete lines, and the beginning of the next.
    fn lines(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        loop {
            let (start, line) = match counted(&self.rest) {
                Counted::Whole(frame) => (frame.end, one_line(&self.rest[frame])),
                Counted::More => break,
                Counted::No => match self.rest.iter().position(|byte| *byte == b'\n') {
                    Some(end) => (end + 1, self.rest[..=end].to_vec()),
                    // A frame that is too long is passed on, so that it is rejected as a line.
                    None if self.rest.len() > LONGEST => (self.rest.len(), self.rest.clone()),
                    None => break,
                },
            };
            lines.extend_from_slice(&line);
            self.rest.drain(..start);
        }
        lines
    }

    fn is_between(&self) -> bool {
        self.rest.is_empty()
    }
}

enum Counted {
    Whole(std::ops::Range<usize>),
    /// It has begun.
    More,
    No,
}

/// The length in `42 <34>...`, followed by a blank.
fn counted(bytes: &[u8]) -> Counted {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = || std::str::from_utf8(&bytes[..digits]).ok()?.parse::<usize>().ok();
    match (digits, bytes.get(digits)) {
        (0, _) | (8.., _) => Counted::No,
        (_, None) => Counted::More,
        (_, Some(b' ')) => match number() {
            Some(len @ 1..=LONGEST) if bytes.len() > digits + len => Counted::Whole(digits + 1..digits + 1 + len),
            Some(1..=LONGEST) => Counted::More,
            _ => Counted::No,
        },
        _ => Counted::No,
    }
}

fn datagrams(socket: &UdpSocket, to: &SyncSender<Message>) {
    let mut room = vec![0; 64 << 10];
    loop {
        // The error belongs to another message, for example because its port was closed.
        let Ok((len, peer)) = socket.recv_from(&mut room) else { continue };
        if to.send(Message::Datagram(peer, room[..len].to_vec())).is_err() {
            return;
        }
    }
}

fn connections(listener: &TcpListener, to: &SyncSender<Message>) {
    let count = Arc::new(AtomicUsize::new(0));
    for (number, stream) in listener.incoming().filter_map(Result::ok).enumerate() {
        if count.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            count.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (to, count) = (to.clone(), Arc::clone(&count));
        std::thread::spawn(move || {
            // The receiver is gone: the command ends.
            if connection(stream, number, &to).is_err() {
                return;
            }
            count.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

fn connection(mut stream: TcpStream, number: usize, to: &SyncSender<Message>) -> Result<(), ()> {
    let Ok(peer) = stream.peer_addr() else { return Ok(()) };
    let mut room = vec![0; 64 << 10];
    while let Ok(len @ 1..) = stream.read(&mut room) {
        to.send(Message::Piece(number, peer, room[..len].to_vec())).map_err(drop)?;
    }
    to.send(Message::End(number)).map_err(drop)
}

#[cfg(test)]
mod tests {
    use super::{Frames, address};

    #[test]
    fn frames_become_lines() {
        let mut frames = Frames::default();
        assert_eq!(frames.lines(b"<34>one\n<34>tw"), b"<34>one\n");
        assert_eq!(frames.lines(b"o\n9 <34>a\nb c"), b"<34>two\n<34>a b c\n");
        assert!(frames.is_between());
        assert_eq!(frames.lines(b"1"), b"");
        assert_eq!(frames.lines(b"0 <34>123456<"), b"<34>123456\n");
        assert!(!frames.is_between());
    }

    #[test]
    fn an_address_is_read() {
        assert_eq!(address("syslog://127.0.0.1:5514"), Ok("127.0.0.1:5514".parse().expect("an address")));
        assert!(address("127.0.0.1:5514").is_err() && address("syslog://host").is_err());
    }
}
