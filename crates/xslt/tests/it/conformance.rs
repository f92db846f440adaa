//! The recorded cases.

use portcullis_xslt::{Encoding, Limits, Stylesheet};

use crate::cases::{Case, all};

fn outcome(case: &Case) -> Result<(String, String), String> {
    let sheet = Stylesheet::compile(&case.stylesheet).map_err(|problems| {
        let messages: Vec<_> = problems.into_iter().map(|it| it.message).collect();
        format!("LOAD {}", messages.join(" / "))
    })?;
    let params: Vec<(&str, &str)> =
        case.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let output = sheet
        .transform(&case.input, &params, &Limits::default())
        .map_err(|it| format!("RUN {it}"))?;
    let text = match output.encoding {
        Encoding::Utf8 | Encoding::Ascii => String::from_utf8(output.bytes).unwrap(),
        Encoding::Latin1 => output.bytes.iter().map(|it| char::from(*it)).collect(),
        Encoding::Utf16 => {
            let units: Vec<u16> =
                output.bytes.chunks(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
            String::from_utf16(&units).unwrap().trim_start_matches('\u{feff}').to_owned()
        }
    };
    Ok((text, output.messages.join("\n")))
}

#[test]
fn every_recorded_case_gives_the_recorded_result() {
    let cases = all();
    let mut wrong = Vec::new();
    for case in &cases {
        let found = outcome(case);
        let is_right = match &found {
            Ok((text, messages)) => {
                *text == case.expected && case.messages.as_ref().is_none_or(|it| it == messages)
            }
            Err(_) => false,
        };
        if !is_right {
            wrong.push(format!(
                "{}\n  expected: {:?}\n  found:    {found:?}",
                case.name, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= 300, "only {} cases", cases.len());
}
