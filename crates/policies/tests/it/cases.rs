//! Every case file in `tests/cases` holds.

use std::path::Path;

use cases::World;
use pipeline::Registry;

fn hold_in(world: &World<'_>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let report = cases::run_folder(&folder, world).unwrap();

    assert!(report.cases.len() > 100, "only {} cases", report.cases.len());
    assert_eq!(report.n_failed(), 0, "\n{report}");
}

#[test]
fn every_case_holds() {
    hold_in(&World::new(&Registry::new(portcullis_policies::ALL)));
}

#[test]
fn every_case_holds_over_sockets_too() {
    hold_in(&World::over_sockets(&Registry::new(portcullis_policies::ALL)));
}

#[test]
fn every_policy_has_a_case_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for kind in portcullis_policies::ALL {
        let file = folder.join(format!("{}.case", kind.name));
        assert!(file.exists(), "{} is missing", file.display());
    }
}
