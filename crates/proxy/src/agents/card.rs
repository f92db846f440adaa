//! The card of an agent on its way to the client.

use agents::card::{Front, MAX_CARD_BYTES, rewrite};
use http::{HeaderName, StatusCode, header};
use pipeline::{Blame, Context, Message, PolicyError, decode_body};

use super::CardCall;

/// Headers that say something of the agent's own card.
const OF_THE_ORIGINAL: [HeaderName; 3] =
    [header::ETAG, header::LAST_MODIFIED, HeaderName::from_static("content-digest")];

/// Puts the gateway's card in the place of the agent's. An answer that is no card is passed on if
/// it says so itself, by its status.
///
/// # Errors
///
/// A card that cannot be read: it would lead clients past the gateway.
pub(crate) async fn rewrite_card(
    context: &mut Context,
    call: &CardCall,
) -> Result<(), PolicyError> {
    let Some(response) = &mut context.response else { return Ok(()) };
    if response.status != StatusCode::OK {
        return Ok(());
    }
    response.body.buffer(MAX_CARD_BYTES).await.map_err(|it| unreadable(&it.to_string()))?;
    let bytes = response.body.as_bytes().unwrap_or_default();
    let bytes = decode_body(&response.headers, bytes, MAX_CARD_BYTES)
        .map_err(|_| unreadable("its encoding cannot be undone"))?;
    let front = Front { url: &call.url, key_header: call.key_header.as_deref() };
    let card = rewrite(&bytes, front).map_err(|why| unreadable(&why))?;
    for name in OF_THE_ORIGINAL {
        response.headers.remove(name);
    }
    context.set_text_body(Message::Response, card.to_string());
    Ok(())
}

fn unreadable(why: &str) -> PolicyError {
    PolicyError::new("AgentCardUnreadable", format!("The agent card cannot be read: {why}."))
        .respond(StatusCode::BAD_GATEWAY, "The agent card cannot be read.")
        .blame(Blame::Backend)
}
