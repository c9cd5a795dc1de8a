//! A broker that does what a script says, with a reading of MQTT of its own.

use std::collections::{HashSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// What happens to the next message that comes for the first time. After those of the script all are acknowledged.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A PUBACK with this reason.
    Reason(u8),
    /// Two of the kind.
    Twice,
    /// The connection ends without one, now and each time the message comes again.
    CloseEachTime,
    /// The connection ends without one, once.
    Close,
    /// Nothing, and the connection stays.
    Silence,
    /// These bytes, and then a PUBACK.
    Bytes(Vec<u8>),
    /// These bytes and the end of the connection.
    Last(Vec<u8>),
}

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    pub connection: usize,
    pub id: u16,
    pub is_resent: bool,
    pub topic: String,
    pub payload: String,
    /// It was acknowledged by a reason below 128.
    pub accepted: bool,
}

#[derive(Default)]
pub struct State {
    pub script: VecDeque<Answer>,
    /// What answers the next CONNECTs in the place of consent.
    pub connacks: VecDeque<Vec<u8>>,
    /// Properties of every CONNACK of MQTT 5.
    pub properties: Vec<u8>,
    /// Sessions are forgotten at the end of their connection.
    pub forgets: bool,
    /// Acknowledgements wait until it is set to false.
    pub holds_back: bool,
    pub came: Vec<Came>,
    pub connects: Vec<Vec<u8>>,
    pub pings: usize,
    /// Connections that ended by DISCONNECT.
    pub farewells: usize,
    sessions: HashSet<Vec<u8>>,
    cursed: HashSet<String>,
    held: Vec<(TcpStream, Vec<u8>)>,
    open: Vec<TcpStream>,
}

pub struct Broker {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Broker {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<(Mutex<State>, Condvar)>::default();
        let broker = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                stream.set_nodelay(true).expect("a socket");
                let handle = stream.try_clone().expect("another handle");
                shared.0.lock().expect("the state").open.push(handle);
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let ended = serve(connection, &stream, &shared);
                    drop(stream.shutdown(Shutdown::Both));
                    drop(ended);
                });
            }
        });
        broker
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().expect("the state")
    }

    /// Waits until the state is so.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let (state, late) = self
            .shared
            .1
            .wait_timeout_while(self.state(), super::payloads::LONG / 2, |state| !is_so(state))
            .expect("the state");
        assert!(!late.timed_out(), "{what}: {:?}", state.came);
        state
    }

    /// Sends the acknowledgements that were held back, and holds back none from now on.
    pub fn release(&self) {
        let mut state = self.state();
        state.holds_back = false;
        for (mut stream, bytes) in std::mem::take(&mut state.held) {
            drop(stream.write_all(&bytes));
        }
    }

    /// Ends every connection.
    pub fn cut(&self) {
        let mut state = self.state();
        state.held.clear();
        for stream in state.open.drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// What was accepted, in order.
    pub fn accepted(&self) -> Vec<Came> {
        self.state().came.iter().filter(|came| came.accepted).cloned().collect()
    }
}

fn packet(mut stream: &TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let (first, mut len, mut shift) = (byte[0], 0, 0);
    loop {
        stream.read_exact(&mut byte)?;
        len |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body)?;
    Ok((first, body))
}

fn text(body: &[u8], at: usize) -> &[u8] {
    let len = usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    &body[at + 2..at + 2 + len]
}

fn serve(connection: usize, stream: &TcpStream, shared: &(Mutex<State>, Condvar)) -> io::Result<()> {
    let mut writer = stream;
    let (first, connect) = packet(stream)?;
    assert_eq!(first, 0x10, "a connection begins with CONNECT");
    assert_eq!(text(&connect, 0), b"MQTT");
    let is_v5 = connect[6] == 5;
    // The properties are shorter than 128 bytes.
    let id_at = if is_v5 { 11 + usize::from(connect[10]) } else { 10 };
    let client = text(&connect, id_at).to_vec();
    let is_clean = connect[7] & 0x02 != 0;
    let answer = {
        let mut state = shared.0.lock().expect("the state");
        let is_known = !state.sessions.insert(client) && !is_clean && !state.forgets;
        state.connects.push(connect);
        let properties = state.properties.clone();
        state.connacks.pop_front().unwrap_or_else(|| {
            let body = match is_v5 {
                true => {
                    [&[u8::from(is_known), 0, u8::try_from(properties.len()).expect("few")], &properties[..]].concat()
                }
                false => vec![u8::from(is_known), 0],
            };
            [&[0x20, u8::try_from(body.len()).expect("short")], &body[..]].concat()
        })
    };
    shared.1.notify_all();
    writer.write_all(&answer)?;
    loop {
        let (first, body) = packet(stream)?;
        match first >> 4 {
            3 => message(connection, first, &body, is_v5, stream, shared)?,
            12 => {
                shared.0.lock().expect("the state").pings += 1;
                writer.write_all(b"\xd0\0")?;
            }
            14 => {
                shared.0.lock().expect("the state").farewells += 1;
                shared.1.notify_all();
                return Ok(());
            }
            other => panic!("packet {other} from who only publishes"),
        }
        shared.1.notify_all();
    }
}

fn message(
    connection: usize,
    first: u8,
    body: &[u8],
    is_v5: bool,
    stream: &TcpStream,
    shared: &(Mutex<State>, Condvar),
) -> io::Result<()> {
    assert_eq!(first & 0x07, 0x02, "QoS 1, not retained");
    let topic = text(body, 0);
    let at = 2 + topic.len();
    let id = u16::from_be_bytes([body[at], body[at + 1]]);
    assert_ne!(id, 0);
    let payload = &body[at + 2 + usize::from(is_v5)..];
    let payload = String::from_utf8(payload.to_vec()).expect("UTF-8");
    let is_resent = first & 0x08 != 0;
    let mut state = shared.0.lock().expect("the state");
    // In a session that was forgotten a message that comes again is not marked so.
    let is_new =
        !state.came.iter().any(|came| came.payload == payload && came.id == id && came.connection != connection);
    let answer = match is_new {
        true => state.script.pop_front().unwrap_or(Answer::Reason(0)),
        false if state.cursed.contains(&payload) => Answer::CloseEachTime,
        false => Answer::Reason(0),
    };
    let puback = |reason: u8| match (is_v5, reason) {
        (true, 1..) => vec![0x40, 3, (id >> 8) as u8, id as u8, reason],
        _ => vec![0x40, 2, (id >> 8) as u8, id as u8],
    };
    let accepted = matches!(answer, Answer::Reason(0..0x80) | Answer::Twice | Answer::Bytes(_));
    let came =
        Came { connection, id, is_resent, topic: String::from_utf8(topic.to_vec()).expect("UTF-8"), payload, accepted };
    let bytes = match answer {
        Answer::Reason(reason) => puback(reason),
        Answer::Twice => puback(0).repeat(2),
        Answer::Bytes(bytes) => [bytes, puback(0)].concat(),
        Answer::Silence => Vec::new(),
        Answer::Last(bytes) => {
            state.came.push(came);
            let mut writer = stream;
            writer.write_all(&bytes)?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Answer::Close | Answer::CloseEachTime => {
            if matches!(answer, Answer::CloseEachTime) {
                state.cursed.insert(came.payload.clone());
            }
            state.came.push(came);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    };
    state.came.push(came);
    if state.holds_back {
        let stream = stream.try_clone()?;
        state.held.push((stream, bytes));
        return Ok(());
    }
    drop(state);
    let mut writer = stream;
    writer.write_all(&bytes)
}
