//! axe-core, which knows what keeps people out of a page. It comes from npm, once.

use crate::browser::Browser;
use std::fs;
use std::path::Path;
use std::process::Command;

const VERSION: &str = "4.14.1";

/// The script; `None`, which is told, where it can't be had.
pub fn source() -> Option<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let kept = folder.join(format!("axe-{VERSION}.js"));
    if !kept.exists() {
        let packed = folder.join(format!("axe-core-{VERSION}.tgz"));
        let package = format!("axe-core@{VERSION}");
        let npm = Command::new("npm").args(["pack", "--silent", &package, "--pack-destination"]).arg(folder).status();
        let script = Command::new("tar").args(["-xzOf"]).arg(&packed).arg("package/axe.min.js").output();
        match (npm, script) {
            (Ok(npm), Ok(script)) if npm.success() && script.status.success() => {
                fs::write(&kept, script.stdout).unwrap();
            }
            (npm, script) => {
                eprintln!("SKIPPED: axe-core can't be fetched from npm: {npm:?} {script:?}");
                return None;
            }
        }
    }
    Some(fs::read_to_string(kept).unwrap())
}

/// What is wrong with the page that is open.
pub async fn faults(browser: &Browser, source: &str) -> Vec<String> {
    browser.client.execute(source, Vec::new()).await.unwrap();
    let script = "const done = arguments[0]; const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']; \
        axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then((result) => done(result.violations.map((fault) => \
        `${fault.id} (${fault.impact}) ${fault.nodes.length}: ${fault.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')} \
        ${fault.nodes[0].any[0]?.message ?? ''}`)), (error) => done([String(error)]))";
    let found = browser.client.execute_async(script, Vec::new()).await.unwrap();
    found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
}
