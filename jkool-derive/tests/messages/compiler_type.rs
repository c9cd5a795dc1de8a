use jkool_model::{Event, Snapshot};

struct Card;

#[derive(Snapshot)]
struct Payment {
    amount: f64,
    card: Card,
}

#[derive(Snapshot)]
struct Flat {
    #[jkool(flatten)]
    amount: f64,
}

fn main() {
    let _ = Event::builder().snapshot(&Card);
}
