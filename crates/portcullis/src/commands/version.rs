//! `portcullis version`.

use serde_json::json;

use super::say;
use crate::cli::Version;
use crate::exit::Exit;

pub(crate) fn run(arguments: &Version) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    if arguments.json {
        let line = json!({ "name": "portcullis", "version": version, "target": target });
        say(&line.to_string());
    } else {
        say(&format!("portcullis {version} ({target})"));
    }
    Exit::Success
}
