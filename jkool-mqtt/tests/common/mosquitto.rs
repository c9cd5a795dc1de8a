//! A mosquitto of the test's own, and what subscribes to it.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

pub struct Mosquitto {
    folder: PathBuf,
    port: u16,
    tls_port: u16,
    process: Mutex<Child>,
    /// What a subscriber needs to be let in.
    login: Vec<String>,
}

impl Mosquitto {
    /// A broker that keeps what it has over a restart, with these further lines in its settings.
    pub fn start(name: &str, settings: &str) -> Self {
        Self::with(name, Vec::new(), |_| format!("allow_anonymous true\n{settings}"))
    }

    pub fn with_password(name: &str, user: &str, password: &str) -> Self {
        let login = ["-u", user, "-P", password].map(str::to_owned).to_vec();
        Self::with(name, login, |folder| {
            let file = folder.join("passwords");
            fs::write(&file, "").expect("a file");
            let mut command = Command::new("mosquitto_passwd");
            assert!(command.arg("-b").arg(&file).args([user, password]).status().expect("mosquitto_passwd").success());
            format!("allow_anonymous false\npassword_file {}\n", file.display())
        })
    }

    /// A broker at which everybody may do what these lines say.
    pub fn with_access(name: &str, lines: &str) -> Self {
        Self::with(name, Vec::new(), |folder| {
            let file = folder.join("access");
            fs::write(&file, lines).expect("a file");
            format!("allow_anonymous true\nacl_file {}\n", file.display())
        })
    }

    /// A broker with TLS besides, whose certificate names localhost, and the authority to trust.
    pub fn with_tls(name: &str) -> (Self, String) {
        let ((certificate, key), authority) = Self::certificate();
        let broker = Self::with(name, Vec::new(), |folder| {
            fs::write(folder.join("certificate.pem"), &certificate).expect("a file");
            fs::write(folder.join("key.pem"), &key).expect("a file");
            let folder = folder.display();
            format!("allow_anonymous true\nTLS\ncertfile {folder}/certificate.pem\nkeyfile {folder}/key.pem\n")
        });
        (broker, authority)
    }

    /// A certificate for localhost with its key, and the authority that has signed it.
    pub fn certificate() -> ((String, String), String) {
        let authority_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let authority = params.self_signed(&authority_key).expect("a certificate");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &authority, &authority_key).expect("a certificate");
        ((certificate.pem(), key.serialize_pem()), authority.pem())
    }

    fn with(name: &str, login: Vec<String>, settings: impl Fn(&Path) -> String) -> Self {
        // Another process may take a port between its choice and its use.
        for _ in 0..10 {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("jkool-mqtt-{}-{name}-{number}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            let free = || TcpListener::bind("127.0.0.1:0").expect("a port");
            let (first, second) = (free(), free());
            let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
            let (port, tls_port) = (port(&first), port(&second));
            let settings = settings(&folder).replace("TLS\n", &format!("listener {tls_port} 127.0.0.1\n"));
            // Unlimited, so that the broker itself throws nothing away.
            let common = format!(
                "user root\npersistence true\npersistence_location {}/\nmax_queued_messages 0\nlistener {port} 127.0.0.1\n",
                folder.display()
            );
            fs::write(folder.join("settings"), common + &settings).expect("a file");
            drop((first, second));
            if let Some(process) = run(&folder) {
                return Self { folder, port, tls_port, process: Mutex::new(process), login };
            }
        }
        panic!("mosquitto does not start");
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn tls_url(&self, host: &str) -> String {
        format!("mqtts://{host}:{}", self.tls_port)
    }

    /// Ends it, as a system that is updated does, and starts it again with what it had.
    pub fn restart(&self) {
        let mut process = self.process.lock().expect("the process");
        end(&mut process);
        // Somebody else may hold the port for a moment.
        let again = (0..100).find_map(|_| run(&self.folder));
        *process = again.expect("mosquitto does not start again");
    }

    /// What gets all messages to this filter from now on.
    pub fn subscribe(&self, filter: &str) -> Subscriber {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let id = format!("subscriber-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        // Line by line, and not when there are enough of them.
        let mut command = Command::new("stdbuf");
        command.args([
            "-oL",
            "mosquitto_sub",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-i",
            &id,
            "-c",
            "-q",
            "1",
            "-t",
            filter,
            "-F",
            "%t %p",
            "-d",
        ]);
        let process =
            command.args(&self.login).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = process.expect("mosquitto_sub");
        let lines = BufReader::new(process.stdout.take().expect("its output"));
        let shared = Arc::<Shared>::default();
        let reader = Arc::clone(&shared);
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut state = reader.state.lock().expect("the state");
                match line.split_once(' ') {
                    _ if line.starts_with("Subscribed (") => state.is_subscribed = true,
                    // What it says of packets and of itself, between messages.
                    _ if line.starts_with("Client ") || line.starts_with("Subscribed") => {}
                    Some((topic, payload)) => state.messages.push((topic.to_owned(), payload.to_owned())),
                    None => {}
                }
                drop(state);
                reader.changed.notify_all();
            }
        });
        let subscriber = Subscriber { process, shared };
        subscriber.wait("a subscription", |state| state.is_subscribed);
        subscriber
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        end(&mut self.process.lock().expect("the process"));
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Starts it, and waits until it listens; none when it ended instead. That somebody listens at its port says little: it may be another one.
fn run(folder: &Path) -> Option<Child> {
    let path = folder.join("log");
    let log = fs::File::create(&path).expect("a file");
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(folder.join("settings")).stdout(Stdio::null()).stderr(log);
    let mut process = command.spawn().expect("mosquitto, as .ci/mqtt installs it");
    loop {
        if process.try_wait().expect("a process").is_some() {
            return None;
        }
        if fs::read_to_string(&path).expect("its log").contains(" running\n") {
            return Some(process);
        }
        wait(Duration::from_millis(10));
    }
}

fn end(process: &mut Child) {
    let pid = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    process.wait().expect("its end");
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a process")]
fn wait(time: Duration) {
    thread::sleep(time);
}

/// A mosquitto_sub, whose session the broker keeps.
pub struct Subscriber {
    process: Child,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_subscribed: bool,
    messages: Vec<(String, String)>,
}

impl Subscriber {
    fn wait(&self, what: &str, is_so: impl Fn(&State) -> bool) -> Vec<(String, String)> {
        let state = self.shared.state.lock().expect("the state");
        let waited = self.shared.changed.wait_timeout_while(state, super::payloads::LONG, |state| !is_so(state));
        let (state, late) = waited.expect("the state");
        assert!(!late.timed_out(), "{what}: {} messages", state.messages.len());
        state.messages.clone()
    }

    /// All topics and payloads, once there are so many.
    pub fn wait_for(&self, count: usize) -> Vec<(String, String)> {
        self.wait("messages", |state| state.messages.len() >= count)
    }

    /// All payloads, once so many of them differ.
    pub fn wait_for_distinct(&self, count: usize) -> Vec<String> {
        let distinct = |state: &State| state.messages.iter().collect::<HashSet<_>>().len();
        let messages =
            self.wait("distinct messages", |state| state.messages.len() >= count && distinct(state) >= count);
        messages.into_iter().map(|(_, payload)| payload).collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
