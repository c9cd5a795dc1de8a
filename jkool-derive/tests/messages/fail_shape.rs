use jkool_model::Snapshot;

#[derive(Snapshot)]
enum State {
    Open,
}

#[derive(Snapshot)]
struct Amount(f64);

#[derive(Snapshot)]
struct Nothing;

#[derive(Snapshot)]
union Both {
    a: u32,
    b: f32,
}

fn main() {}
