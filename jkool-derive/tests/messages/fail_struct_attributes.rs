use jkool_model::Snapshot;

#[derive(Snapshot)]
#[jkool(nme = "Payment")]
struct Misspelt {
    a: u32,
}

#[derive(Snapshot)]
#[jkool(name)]
struct NoValue {
    a: u32,
}

#[derive(Snapshot)]
#[jkool(category = 3)]
struct NoText {
    a: u32,
}

#[derive(Snapshot)]
#[jkool(name = "a", name = "b")]
struct Twice {
    a: u32,
}

#[derive(Snapshot)]
#[jkool(rename = "b")]
struct OfAField {
    a: u32,
}

fn main() {}
