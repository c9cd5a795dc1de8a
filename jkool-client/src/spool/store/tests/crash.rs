//! A crash at every call to the disk, by a kill and by a loss of power.

use super::{drain, drain_all, open_as, payload, reopen};
use crate::queue::lane::Lane;
use crate::spool::fake_disk::{Cut, FakeDisk};
use crate::spool::settings::Spool;
use crate::spool::store::Left;
use crate::spool::store::{Found, Slot, Store};
use jkool_transport::Payload;
use std::collections::BTreeSet;

/// What a process was told before it died.
#[derive(Debug, Default)]
struct Told {
    /// What each segment was to hold, and whether it was acknowledged.
    written: Vec<(Vec<String>, bool)>,
    /// What was to end, and whether that was done before the crash.
    ended: Vec<(String, bool)>,
}

struct Story<'a> {
    disk: &'a FakeDisk,
    store: Store,
    told: Told,
}

type Records = Vec<(Slot, String)>;

impl Story<'_> {
    fn write(&mut self, bodies: &[&str]) -> Records {
        let payloads: Vec<Payload> = bodies.iter().map(|body| payload(body)).collect();
        let written = self.store.write(Lane::Normal, &payloads.iter().collect::<Vec<_>>());
        let bodies: Vec<String> = bodies.iter().map(|body| (*body).to_owned()).collect();
        self.told.written.push((bodies.clone(), written.is_ok()));
        let Ok(segment) = written else { return Vec::new() };
        (0..).zip(bodies).map(|(index, body)| (Slot { segment, index }, body)).collect()
    }

    fn end(&mut self, records: &[(Slot, String)]) {
        self.store.end(&records.iter().map(|(slot, _)| *slot).collect::<Vec<_>>());
        let done = !self.disk.has_failed();
        self.told.ended.extend(records.iter().map(|(_, body)| (body.clone(), done)));
    }

    fn load(&mut self, found: Found) -> Records {
        let mut all = Vec::new();
        for Left { segment, .. } in found.segments {
            let Ok(loaded) = self.store.load(segment) else { continue };
            for (index, payload) in loaded.records {
                all.push((Slot { segment, index }, String::from_utf8(payload.body().to_vec()).unwrap()));
            }
        }
        all
    }
}

/// Three processes, one of them dead from the start, and all that can happen between them, up to the crash.
fn story(disk: &FakeDisk, settings: &Spool, crash_at: usize) -> Told {
    let (mut dead, _) = open_as(disk, settings);
    let old = ["old 0", "old 1", "old 2"].map(payload);
    let segment = dead.write(Lane::Normal, &[&old[0], &old[1]]).unwrap();
    dead.write(Lane::Normal, &[&old[2]]).unwrap();
    dead.end(&[Slot { segment, index: 0 }]);
    drop(dead);
    let mut told = Told::default();
    told.written.push((vec!["old 1".into()], true));
    told.written.push((vec!["old 2".into()], true));
    told.ended.push(("old 0".into(), true));
    disk.crash(crash_at);
    let Ok((store, found)) = Store::open(settings, Box::new(disk.clone()), 1) else {
        return told;
    };
    let mut story = Story { disk, store, told };
    let old = story.load(found);
    story.end(&old[..old.len().min(1)]);
    let three = story.write(&["three 0", "three 1", "three 2"]);
    let (first, rest) = three.split_at(three.len().min(1));
    story.end(first);
    let two = story.write(&["two 0", "two 1"]);
    story.end(&two);
    if let Ok((mut other, _)) = Store::open(settings, Box::new(disk.clone()), 2) {
        let written = other.write(Lane::Normal, &[&payload("late")]).is_ok();
        story.told.written.push((vec!["late".into()], written));
    }
    let found = story.store.adopt();
    let late = story.load(found);
    story.write(&["one"]);
    story.end(&late);
    story.end(rest);
    let Story { store, told, .. } = story;
    store.close();
    told
}

fn check(settings: &Spool, after: impl Fn(&FakeDisk), ended_may_come_back: bool) {
    for crash_at in 0.. {
        let disk = FakeDisk::default();
        let told = story(&disk, settings, crash_at);
        let over = !disk.has_failed();
        after(&disk);
        let (mut store, found) = open_as(&disk, settings);
        let drained = drain(&mut store, found);
        assert_eq!((drained.lost, drained.damaged_bytes), (0, 0), "crash at {crash_at}");
        let found: BTreeSet<&str> = drained.bodies.iter().map(String::as_str).collect();
        assert_eq!(found.len(), drained.bodies.len(), "crash at {crash_at}: loaded twice: {:?}", drained.bodies);
        let mut known: BTreeSet<&str> = told.ended.iter().map(|(body, _)| body.as_str()).collect();
        for (bodies, acknowledged) in &told.written {
            known.extend(bodies.iter().map(String::as_str));
            let open = bodies.iter().filter(|body| !told.ended.iter().any(|(ended, _)| ended == *body));
            let there: Vec<bool> = open.map(|body| found.contains(body.as_str())).collect();
            let whole = there.iter().all(|there| *there);
            assert!(whole || !acknowledged, "crash at {crash_at}: of {bodies:?} only {found:?}; {told:?}");
            assert!(whole || there.iter().all(|there| !there), "crash at {crash_at}: in part: {bodies:?} in {found:?}");
        }
        for (body, done) in &told.ended {
            assert!(
                !done || ended_may_come_back || !found.contains(body.as_str()),
                "crash at {crash_at}: {body} came back"
            );
        }
        assert!(found.is_subset(&known), "crash at {crash_at}: {found:?}");
        store.close();
        reopen(&disk);
        assert_eq!(disk.names(), [""], "crash at {crash_at} leaves something for good");
        if over {
            assert!(crash_at > 50, "{crash_at} calls are no story");
            break;
        }
    }
}

#[test]
fn a_kill_at_any_call_loses_and_repeats_nothing() {
    for sync in [true, false] {
        check(&Spool::new("/spool").sync(sync), FakeDisk::kill, false);
    }
}

#[test]
fn a_loss_of_power_at_any_call_loses_nothing() {
    for cut in Cut::ALL {
        check(&Spool::new("/spool"), |disk| disk.power_cut_leaving(cut), true);
    }
}

/// Or the test above would prove nothing.
#[test]
fn without_syncing_a_loss_of_power_loses() {
    let settings = Spool::new("/spool").sync(false);
    let cuts: [fn(&FakeDisk); 3] =
        [FakeDisk::power_cut, |disk| disk.power_cut_leaving(Cut::Torn), |disk| disk.power_cut_leaving(Cut::Zeroed)];
    for cut in cuts {
        let disk = FakeDisk::default();
        let (mut store, _) = open_as(&disk, &settings);
        super::write(&mut store, &["a", "b"]);
        cut(&disk);
        assert!(reopen(&disk).bodies.is_empty());
    }
}

/// What was taken over is durable in its new place before its old one goes.
#[test]
fn a_loss_of_power_after_an_adoption_loses_nothing() {
    let settings = Spool::new("/spool");
    let disk = FakeDisk::default();
    let (mut dead, _) = open_as(&disk, &settings);
    super::write(&mut dead, &["a"]);
    drop(dead);
    let _adopter = open_as(&disk, &settings);
    // A process that makes its folder makes all that was done to the others durable.
    let _other = open_as(&disk, &settings);
    disk.power_cut();
    assert_eq!(reopen(&disk).bodies, ["a"]);
}

#[test]
fn a_kill_while_a_folder_is_taken_over_changes_no_order() {
    const ALL: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
    for crash_at in 1.. {
        let disk = FakeDisk::default();
        // Places in the middle, so that a later process comes before or after by name.
        let open = |writer| Store::open(&Spool::new("/spool"), Box::new(disk.clone()), writer);
        let (mut dead, _) = open(500).unwrap();
        for body in ALL {
            dead.write(Lane::Normal, &[&payload(body)]).unwrap();
        }
        disk.kill();
        let mut over = false;
        for writer in [600, 400, 550] {
            disk.crash(crash_at);
            drop(open(writer));
            over = !disk.has_failed();
            disk.kill();
            disk.mend();
        }
        let (mut store, found) = open(300).unwrap();
        assert_eq!(drain_all(&mut store, found), ALL, "crashes at call {crash_at}");
        if over {
            break;
        }
    }
}
