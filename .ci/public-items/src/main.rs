//! Prints the public items of the crate whose JSON is named, one a line.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args_os().nth(1).ok_or("public-items FILE")?;
    // Without the impls that all types have.
    let items =
        public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true).build()?;
    print!("{items}");
    Ok(())
}
