use jkool_model::Snapshot;

#[derive(Snapshot)]
struct Payment {
    #[jkool(value_type = "currency.us")]
    misspelt: f64,
    #[jkool(value_type = "Furlong")]
    unknown: f64,
    #[jkool(value_type)]
    no_word: f64,
    #[jkool(name = "x")]
    of_the_struct: u32,
    #[jkool(renam = "x")]
    no_attribute: u32,
    #[jkool(rename = "")]
    no_name: u32,
    #[jkool(skip, rename = "x")]
    skipped: u32,
    #[jkool(flatten, rename = "x")]
    flattened: u32,
    #[jkool(flatten, with = "f")]
    flattened_with: u32,
    #[jkool(serde, with = "f")]
    serde_with: u32,
    #[jkool(serde, flatten)]
    serde_flattened: u32,
    #[jkool(with = "not a path")]
    no_function: u32,
    #[jkool(skip, skip)]
    twice: u32,
}

fn main() {}
