//! Embeddings: deterministic per text, and near for texts that share words.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};
use transport::Response;

use super::{count_tokens, error};
use crate::reply;

/// Dimensions unless the request asks for fewer.
const DIMENSIONS: usize = 1536;

/// Most texts in one request, as the service allows.
const MAX_INPUTS: usize = 2048;

pub(crate) fn answer(model: &str, body: &Map<String, Value>) -> Response {
    let inputs: Vec<&str> = match body.get("input") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if inputs.is_empty() || inputs.len() > MAX_INPUTS {
        return error::invalid_request("'input' must be text or a list of texts.", Some("input"));
    }
    let dimensions = body.get("dimensions").and_then(Value::as_u64);
    let dimensions = dimensions.and_then(|it| usize::try_from(it).ok()).unwrap_or(DIMENSIONS);
    if !(1..=DIMENSIONS).contains(&dimensions) {
        let message = format!("'dimensions' must be 1 to {DIMENSIONS}.");
        return error::invalid_request(&message, Some("dimensions"));
    }
    let is_base64 = body.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = embed(text, dimensions);
            let embedding = if is_base64 { json!(base64(&vector)) } else { json!(vector) };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let tokens: u64 = inputs.iter().map(|text| count_tokens(text)).sum();
    reply::json(
        StatusCode::OK,
        &json!({
            "object": "list",
            "data": data,
            "model": model,
            "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
        }),
    )
}

/// Tokens that a request is charged: a quarter of its characters.
pub(super) fn n_charged(body: &Map<String, Value>) -> u64 {
    let n_chars: usize = match body.get("input") {
        Some(Value::String(text)) => text.chars().count(),
        Some(Value::Array(texts)) => {
            texts.iter().filter_map(Value::as_str).map(|it| it.chars().count()).sum()
        }
        _ => 0,
    };
    u64::try_from(n_chars.div_ceil(4)).unwrap_or(u64::MAX)
}

/// A unit vector: the sum of a pseudo-random vector for each word.
fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    let lower = text.to_lowercase();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()) {
        let mut state = seed(word);
        for element in &mut vector {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let high = u16::try_from(state >> 48).unwrap_or_default();
            *element += f32::from(high) / 32_768.0 - 1.0;
        }
    }
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|it| *it /= length);
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

fn seed(word: &str) -> u64 {
    let hash = digest::digest(&digest::SHA256, word.as_bytes());
    hash.as_ref().iter().take(8).fold(0, |seed, &byte| seed << 8 | u64::from(byte))
}

/// Little-endian 32-bit floats, as the service encodes them.
fn base64(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(one: &str, other: &str) -> f32 {
        embed(one, 256).iter().zip(embed(other, 256)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_that_share_words_are_near() {
        let near = similarity("how do I reset my password", "how can I reset my password");
        let far = similarity("how do I reset my password", "weather in Oslo tomorrow");
        assert!(near > 0.7 && far < 0.4, "{near} {far}");
    }

    #[test]
    fn vectors_have_length_one() {
        for text in ["", "one", "one two three"] {
            let length: f32 = embed(text, 64).iter().map(|it| it * it).sum();
            assert!((length - 1.0).abs() < 1e-4, "{text}: {length}");
        }
    }

    #[test]
    fn base64_holds_the_same_numbers() {
        let bytes = STANDARD.decode(base64(&[1.0, -0.5])).unwrap();
        assert_eq!(bytes, [0, 0, 128, 63, 0, 0, 0, 191]);
    }
}
