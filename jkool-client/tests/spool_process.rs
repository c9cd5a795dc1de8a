//! The spool and the ends of processes. Each case starts this program again as children that share a folder on a real disk
//! and stream to a server of this one's; they are killed, stopped, end, panic and exit. What a child was told is durable
//! must arrive, whoever sends it. `JKOOL_KILL_ROUNDS` sets how many processes are killed, `JKOOL_SEED` when.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and this one is its own harness")]

#[cfg(all(target_os = "linux", feature = "http"))]
#[path = "common/faults.rs"]
mod faults;
#[cfg(all(target_os = "linux", feature = "http"))]
#[path = "common/process.rs"]
mod process;
#[cfg(all(target_os = "linux", feature = "http"))]
#[path = "common/spooled.rs"]
mod spooled;

#[cfg(all(target_os = "linux", feature = "http"))]
fn main() {
    match std::env::var(process::ROLE) {
        Ok(role) => process::child(&role),
        Err(_) => cases::run_all(),
    }
}

#[cfg(not(all(target_os = "linux", feature = "http")))]
fn main() {}

#[cfg(all(target_os = "linux", feature = "http"))]
mod cases {
    use super::faults::now;
    use super::faults::server::{Reply, Server};
    use super::process::{End, Process, THREADS, has_containers};
    use super::spooled::{Folder, Number, Received};
    use rustix::process::Signal;
    use std::collections::BTreeMap;
    use std::time::Duration;

    type Case = (&'static str, fn());

    const CASES: &[Case] = &[
        ("kills_of_one_that_writes_ahead", || kills("write-ahead")),
        ("kills_of_one_that_writes_what_flows_over", || kills("overflow")),
        ("eight_processes_on_one_folder_with_kills", eight_processes_with_kills),
        ("eight_processes_that_end_well_deliver_each_once", eight_processes_that_end_well),
        ("eight_processes_that_end_well_while_the_server_does_not", eight_processes_and_an_ill_server),
        ("a_stopped_process_keeps_its_files", a_stopped_process_keeps_its_files),
        ("an_exit_keeps_what_is_durable", an_exit_keeps_what_is_durable),
        ("an_abort_keeps_what_is_durable", an_abort_keeps_what_is_durable),
        ("containers_with_the_same_process_number_share_a_folder", containers_share_a_folder),
        ("a_panic_delivers_or_spools", a_panic_delivers_or_spools),
        ("a_shutdown_while_the_server_is_away", a_shutdown_while_the_server_is_away),
    ];

    /// Understands what `cargo test` passes on: a part of a name, `--exact`, `--list`.
    pub(super) fn run_all() {
        let args: Vec<_> = std::env::args().skip(1).collect();
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        let filter = args.iter().find(|arg| !arg.starts_with('-'));
        let is_meant =
            |name: &str| filter.is_none_or(|part| if has("--exact") { name == part } else { name.contains(part) });
        let ignored = has("--ignored");
        for (name, case) in CASES.iter().filter(|(name, _)| !ignored && is_meant(name)) {
            if has("--list") {
                println!("{name}: test");
            } else {
                let start = now();
                case();
                println!("test {name} ... ok, {:.1} s", start.elapsed().as_secs_f64());
            }
        }
    }

    fn setting(name: &str) -> Option<u64> {
        Some(std::env::var(name).ok()?.parse().unwrap())
    }

    fn random() -> fastrand::Rng {
        let seed = setting("JKOOL_SEED").unwrap_or_else(|| fastrand::u64(..));
        println!("JKOOL_SEED={seed}");
        fastrand::Rng::with_seed(seed)
    }

    const MODES: [&str; 2] = ["write-ahead", "overflow"];

    /// How a server may be: well, in trouble, silent, or now this and now that, with every answer there is.
    fn afflict(server: &Server, random: &mut fastrand::Rng) {
        let ill = [302, 400, 401, 403, 404, 406, 413, 422, 429, 500, 502, 503, 504].map(Reply::Status);
        let ill =
            [ill.as_slice(), &[Reply::Stall, Reply::Reset, Reply::Close, Reply::RawThenClose(b"HTTP/1.1 20".into())]]
                .concat();
        match random.usize(..8) {
            0 => server.otherwise(Reply::Status(503)),
            1 => server.otherwise(Reply::Stall),
            2 => server.otherwise(random.choice(&ill).cloned().unwrap()),
            3 | 4 => server.otherwise(Reply::Status(202)),
            _ => {
                // Nearly always well, or nearly never.
                let well = random.f64();
                let reply = |random: &mut fastrand::Rng| match random.f64() < well {
                    true => Reply::Status(202),
                    false => random.choice(&ill).cloned().unwrap(),
                };
                server.script((0..1_000).map(|_| reply(random)).collect::<Vec<_>>());
            }
        }
    }

    /// How far each thread of each round is durable, as its process was told.
    #[derive(Default)]
    struct Durable(BTreeMap<(u32, u32), u32>);

    impl Durable {
        fn note(&mut self, round: u32, line: &str) {
            let marks = line.strip_prefix("durable").unwrap().split_whitespace();
            for (thread, mark) in (0..).zip(marks) {
                self.0.insert((round, thread), mark.parse().unwrap());
            }
        }

        fn count(&self) -> u32 {
            self.0.values().sum()
        }

        fn assert_taken(&self, received: &Received) {
            for (&(round, thread), &mark) in &self.0 {
                for sequence in 1..=mark {
                    let number = Number { round, thread, sequence };
                    assert!(received.has_taken(number), "{number:?} is missing of {mark}");
                }
            }
        }
    }

    /// A last process sends all that is left, to a server that is well.
    fn drain(folder: &Folder, mode: &str, received: &mut Received) -> End {
        let server = Server::start();
        let mut process = Process::start("drain", &server.url(), folder, mode, 0);
        let end = process.end();
        assert_eq!((end.recovered, end.accepted), (end.delivered, 0), "{end:?}");
        received.add(&server.stop());
        folder.assert_empty();
        end
    }

    fn kills(mode: &str) {
        let rounds = setting("JKOOL_KILL_ROUNDS").unwrap_or(50) as u32 / 2;
        let (mut random, folder) = (random(), Folder::new("kills"));
        let (mut durable, mut received) = (Durable::default(), Received::default());
        for round in 1..=rounds {
            let server = Server::start();
            afflict(&server, &mut random);
            let mut process = Process::start("emit", &server.url(), &folder, mode, round);
            if random.bool() {
                durable.note(round, &process.line());
            }
            let deadline = now() + Duration::from_millis(random.u64(..300));
            while let Some(line) = process.line_before(deadline) {
                durable.note(round, &line);
                match random.u8(..) {
                    0..16 => folder.inspect(),
                    16..24 => process.fill_disk(random.bool()),
                    _ => {}
                }
            }
            for line in process.kill() {
                durable.note(round, &line);
            }
            folder.inspect();
            received.add(&server.stop());
        }
        drain(&folder, mode, &mut received);
        durable.assert_taken(&received);
        assert!(durable.count() >= rounds, "it came to nothing: {}", durable.count());
    }

    fn eight_processes_with_kills() {
        let (rounds, mut random) = (setting("JKOOL_KILL_ROUNDS").unwrap_or(50), random());
        for _ in 0..rounds.div_ceil(50) {
            kill_some_of_eight(25, &mut random);
        }
    }

    fn kill_some_of_eight(kills: u32, random: &mut fastrand::Rng) {
        let (folder, server) = (Folder::new("eight"), Server::start());
        let (mut durable, mut received) = (Durable::default(), Received::default());
        let mut round = 0;
        let mut start = |server: &Server| {
            round += 1;
            (round, Process::start("emit", &server.url(), &folder, MODES[round as usize % 2], round))
        };
        let mut processes: Vec<_> = (0..8).map(|_| start(&server)).collect();
        for kill in 0..kills {
            if kill % 4 == 0 {
                afflict(&server, random);
                folder.inspect();
            }
            // Its neighbour is at work for sure, and it may be starting.
            let victim = random.usize(..8);
            let (round, neighbour) = &mut processes[(victim + 1) % 8];
            durable.note(*round, &neighbour.line());
            let deadline = now() + Duration::from_millis(random.u64(..50));
            let (round, process) = &mut processes[victim];
            while let Some(line) = process.line_before(deadline) {
                durable.note(*round, &line);
            }
            for line in process.kill() {
                durable.note(*round, &line);
            }
            processes[victim] = start(&server);
        }
        let mut spooled = 0;
        for (round, process) in &mut processes {
            process.ask_to_end().iter().for_each(|line| durable.note(*round, line));
        }
        for (_, process) in &mut processes {
            spooled += process.end().spooled;
        }
        folder.inspect();
        received.add(&server.stop());
        // What the killed ones have left comes to that.
        let end = drain(&folder, "overflow", &mut received);
        assert!(end.recovered >= spooled, "{end:?} {spooled}");
        durable.assert_taken(&received);
        assert!(durable.count() >= kills, "it came to nothing: {}", durable.count());
    }

    fn eight_processes_that_end_well() {
        let (folder, server) = (Folder::new("eight-well"), Server::start());
        server.otherwise(Reply::Status(503));
        let mut sum = End::default();
        // The second eight come while the first are there, and take over what they leave.
        let mut processes: Vec<_> = (1..=16)
            .map(|round| Process::start("emit", &server.url(), &folder, MODES[round as usize % 2], round))
            .collect();
        for process in &mut processes {
            process.line();
        }
        for (reply, processes) in [Reply::Status(202), Reply::Status(503)].into_iter().zip(processes.chunks_mut(8)) {
            server.otherwise(reply);
            for process in processes.iter_mut() {
                process.ask_to_end();
            }
            for process in processes {
                let end = process.end();
                assert_eq!(end.dropped, 0, "{end:?}");
                sum.add(&end);
            }
        }
        let mut received = Received::default();
        received.add(&server.stop());
        sum.add(&drain(&folder, "write-ahead", &mut received));
        // What one spools another recovers, and in the end all is delivered.
        assert_eq!((sum.accepted, sum.spooled), (sum.delivered, sum.recovered), "{sum:?}");
        assert_eq!((received.taken.len() as u64, received.repeats), (sum.accepted, 0));
    }

    /// Whatever the server does, and however often the disk is full, the accounts of processes that end well are exact.
    fn eight_processes_and_an_ill_server() {
        let (mut random, folder, mut received) = (random(), Folder::new("eight-ill"), Received::default());
        let server = Server::start();
        let mut sum = End::default();
        let generations = 3 * setting("JKOOL_KILL_ROUNDS").unwrap_or(50).div_ceil(50) as u32;
        for generation in 0..generations {
            let rounds = generation * 8 + 1..=generation * 8 + 8;
            let mut processes: Vec<_> = rounds
                .map(|round| Process::start("emit", &server.url(), &folder, MODES[round as usize % 2], round))
                .collect();
            for _ in 0..8 {
                afflict(&server, &mut random);
                let full = random.usize(..8);
                processes[full].fill_disk(true);
                for _ in 0..8 {
                    processes[(full + 1 + random.usize(..7)) % 8].line_before(now() + Duration::from_millis(50));
                }
                processes[full].fill_disk(false);
            }
            for process in &mut processes {
                process.ask_to_end();
            }
            for process in &mut processes {
                let end = process.end();
                assert_eq!(end.dropped, 0, "{end:?}");
                sum.add(&end);
            }
        }
        received.add(&server.stop());
        sum.add(&drain(&folder, "overflow", &mut received));
        assert_eq!((sum.accepted, sum.spooled), (sum.delivered, sum.recovered), "{sum:?}");
        assert_eq!(received.taken.len() as u64, sum.accepted);
        let copies = received.copies;
        assert!(copies <= sum.maybe_duplicated, "there may be {copies} copies: {sum:?}");
    }

    fn a_stopped_process_keeps_its_files() {
        let (folder, mut received) = (Folder::new("stopped"), Received::default());
        let (ill, well) = (Server::start(), Server::start());
        ill.otherwise(Reply::Status(503));
        let mut stopped = Process::start("emit", &ill.url(), &folder, "write-ahead", 1);
        stopped.line();
        stopped.signal(Signal::STOP);
        let mut other = Process::start("drain", &well.url(), &folder, "write-ahead", 2);
        assert_eq!(other.end(), End::default());
        stopped.signal(Signal::CONT);
        // It works on as if nothing had been.
        let mut durable = Durable::default();
        for _ in 0..200 {
            durable.note(1, &stopped.line());
        }
        stopped.ask_to_end().iter().for_each(|line| durable.note(1, line));
        let end = stopped.end();
        assert_eq!((end.accepted, end.dropped), (end.spooled, 0), "{end:?}");
        assert_eq!(drain(&folder, "write-ahead", &mut received).recovered, end.spooled);
        durable.assert_taken(&received);
    }

    fn numbers(round: u32, sequences: std::ops::RangeInclusive<u32>) -> Vec<Number> {
        sequences.map(|sequence| Number { round, thread: THREADS, sequence }).collect()
    }

    fn an_exit_keeps_what_is_durable() {
        for mode in MODES {
            let (folder, mut received, server) = (Folder::new("exit"), Received::default(), Server::start());
            server.otherwise(Reply::Status(503));
            let mut process = Process::start("exit", &server.url(), &folder, mode, 1);
            assert_eq!(process.line(), "durable");
            assert_eq!(process.status().code(), Some(7));
            let end = drain(&folder, mode, &mut received);
            // Those that came after are in no account but that of the process which is gone.
            assert_eq!((end.recovered, received.taken), (100, numbers(1, 1..=100)), "{mode}");
        }
    }

    fn an_abort_keeps_what_is_durable() {
        for mode in MODES {
            let (folder, mut received, server) = (Folder::new("abort"), Received::default(), Server::start());
            server.otherwise(Reply::Status(503));
            let mut process = Process::start("abort", &server.url(), &folder, mode, 1);
            assert_eq!(process.status().code(), None, "it ends by a signal");
            let end = drain(&folder, mode, &mut received);
            assert_eq!((end.recovered, received.taken), (100, numbers(1, 1..=100)), "{mode}");
        }
    }

    /// Containers have the same host name, often, and each has a process 1. One that is killed is followed by another.
    fn containers_share_a_folder() {
        if !has_containers() {
            println!("SKIPPED: `unshare --pid` needs root, or is not there");
            return;
        }
        let (folder, mut received, server) = (Folder::new("containers"), Received::default(), Server::start());
        server.otherwise(Reply::Status(503));
        let start =
            |round: u32| Process::start_in_container("emit", &server.url(), &folder, MODES[round as usize % 2], round);
        let mut durable = Durable::default();
        let mut processes: Vec<_> = (1..=3).map(|round| (round, start(round))).collect();
        for next in 4..=6 {
            for (round, process) in &mut processes {
                (0..5).for_each(|_| durable.note(*round, &process.line()));
            }
            let (round, mut killed) = processes.remove(0);
            killed.kill().iter().for_each(|line| durable.note(round, line));
            processes.push((next, start(next)));
        }
        for (round, process) in &mut processes {
            process.ask_to_end().iter().for_each(|line| durable.note(*round, line));
            process.end();
        }
        drain(&folder, "overflow", &mut received);
        durable.assert_taken(&received);
    }

    fn a_panic_delivers_or_spools() {
        for (mode, delivered) in MODES.into_iter().zip([0, 3]) {
            let (folder, mut received, server) = (Folder::new("panic"), Received::default(), Server::start());
            server.script(vec![Reply::Status(202); delivered]);
            server.otherwise(Reply::Status(503));
            let mut process = Process::start("panic", &server.url(), &folder, mode, 1);
            assert_eq!(process.status().code(), Some(101));
            received.add(&server.stop());
            let before = received.taken.len();
            let end = drain(&folder, mode, &mut received);
            assert_eq!((end.recovered, received.repeats), (100 - before as u64, 0), "{mode}");
            assert_eq!(received.taken, numbers(1, 1..=100), "{mode}");
        }
    }

    fn a_shutdown_while_the_server_is_away() {
        for mode in MODES {
            let (folder, mut received) = (Folder::new("away"), Received::default());
            // Connections are refused.
            let away = super::faults::Port::new();
            for round in 1..=3 {
                let end = Process::start("shutdown", &away.url(), &folder, mode, round).end();
                assert_eq!((end.accepted, end.recovered), (100, u64::from(round - 1) * 100), "{end:?}");
                assert_eq!(end.spooled, u64::from(round) * 100, "{end:?}");
            }
            folder.inspect();
            assert_eq!(drain(&folder, mode, &mut received).recovered, 300);
            assert_eq!((received.taken.len(), received.repeats), (300, 0));
            received.assert_in_order();
        }
    }
}
